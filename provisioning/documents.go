package provisioning

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"tandem/numbers"
	"tandem/postgres"
)

// Bounds of the documents of a porting order.
const (
	MaxDocumentBytes = 5 << 20
	MaxDocuments     = 20
	maxDocumentName  = 200 // bytes
)

// AddDocument adds a document to a porting order that is not over. Its type is told by its content: PDF, JPEG, PNG or TIFF, and nothing that a browser would run.
func (s *Service) AddDocument(ctx context.Context, tenantID, porting, name string, content []byte, by string) (d postgres.Document, err error) {
	var c checks
	c.that(len(content) > 0 && len(content) <= MaxDocumentBytes, "body", fmt.Sprintf("is not 1 to %d bytes long", MaxDocumentBytes))
	d = postgres.Document{ID: uuid.NewString(), Name: name, ContentType: typeOf(content), Bytes: len(content), CreatedBy: by, CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}
	c.that(d.ContentType != "", "body", "is neither PDF nor JPEG, PNG or TIFF")
	c.name("name", name)
	c.that(len(name) <= maxDocumentName && name == path.Base(name) && !strings.ContainsAny(name, `/\"`) && strings.Trim(name, ".") != "", "name",
		fmt.Sprintf("is not the name of a file, of %d bytes at most", maxDocumentName))
	c.name("created_by", by)
	if c.err != nil {
		return d, c.err
	}
	sum := sha256.Sum256(content)
	d.Hash = hex.EncodeToString(sum[:])
	return d, s.withPorting(ctx, tenantID, porting, func(tx *postgres.Tx, p postgres.Porting) error {
		if p.State == numbers.PortPorted || p.State == numbers.PortCancelled {
			return conflict("porting", "is "+string(p.State)+": nothing is added to it any more")
		}
		there, err := tx.Documents(ctx, tenantID, porting)
		if err != nil {
			return err
		}
		if len(there) >= MaxDocuments {
			return conflict("body", fmt.Sprintf("cannot be added: the order has %d documents already", len(there)))
		}
		if err := tx.InsertDocument(ctx, tenantID, porting, d, content); err != nil {
			return err
		}
		return tx.NotePorting(ctx, p, postgres.PortingStep{Step: "document", From: p.State, To: p.State, Comment: name, By: by})
	})
}

// typeOf tells a document's type by its first bytes; empty: none that is taken.
func typeOf(content []byte) string {
	for _, t := range []struct{ magic, is string }{
		{"%PDF-", "application/pdf"}, {"\xFF\xD8\xFF", "image/jpeg"}, {"\x89PNG\r\n\x1A\n", "image/png"}, {"II*\x00", "image/tiff"}, {"MM\x00*", "image/tiff"},
	} {
		if bytes.HasPrefix(content, []byte(t.magic)) {
			return t.is
		}
	}
	return ""
}

// Document gives a document of a porting order with what is in it.
func (s *Service) Document(ctx context.Context, tenantID, porting, id string) (d postgres.Document, content []byte, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		d, content, err = tx.Document(ctx, tenantID, porting, id)
		if errors.Is(err, postgres.ErrNotFound) {
			return missing("document", "there is no such document")
		}
		return err
	})
	return d, content, err
}

// DeleteDocument removes a document from a porting order that is a draft, or was rejected.
func (s *Service) DeleteDocument(ctx context.Context, tenantID, porting, id, by string) error {
	return s.withPorting(ctx, tenantID, porting, func(tx *postgres.Tx, p postgres.Porting) error {
		if !p.State.Editable() {
			return conflict("porting", "is "+string(p.State)+": what is submitted is not changed any more")
		}
		was, err := tx.DeleteDocument(ctx, tenantID, porting, id)
		if err == nil && !was {
			err = missing("document", "there is no such document")
		}
		if err != nil {
			return err
		}
		return tx.NotePorting(ctx, p, postgres.PortingStep{Step: "document_removed", From: p.State, To: p.State, By: by})
	})
}
