package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Document is a file that belongs to a porting order.
type Document struct {
	ID          string    `db:"id"`
	Name        string    `db:"name"`
	ContentType string    `db:"content_type"`
	Bytes       int       `db:"bytes"`
	Hash        string    `db:"document"` // SHA-256, in hex
	CreatedBy   string    `db:"created_by"`
	CreatedAt   time.Time `db:"created_at"`
}

// Documents lists the documents of a porting order, without what is in them, the oldest first.
func (t *Tx) Documents(ctx context.Context, tenantID, porting string) ([]Document, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT id, name, content_type, bytes, document, created_by, created_at FROM porting_documents
		 WHERE tenant_id = @tenant_id AND porting_id = @porting ORDER BY created_at, id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "porting": porting})
	if err != nil {
		return nil, fmt.Errorf("postgres: documents: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Document])
	if err != nil {
		return nil, fmt.Errorf("postgres: documents: %w", err)
	}
	return all, nil
}

// InsertDocument adds a document to a porting order. What is in it is kept once for each tenant.
func (t *Tx) InsertDocument(ctx context.Context, tenantID, porting string, d Document, content []byte) error {
	if err := t.exec(ctx, "insert document", `INSERT INTO documents (tenant_id, hash, content) VALUES (@tenant_id, @hash, @content) ON CONFLICT DO NOTHING`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "hash": d.Hash, "content": content}); err != nil {
		return err
	}
	return t.exec(ctx, "insert document", `
		INSERT INTO porting_documents (tenant_id, porting_id, id, name, content_type, bytes, document, created_by, created_at)
		VALUES (@tenant_id, @porting, @id, @name, @content_type, @bytes, @hash, @created_by, @created_at)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "porting": porting, "id": d.ID, "name": d.Name, "content_type": d.ContentType, "bytes": d.Bytes, "hash": d.Hash,
			"created_by": text(d.CreatedBy), "created_at": d.CreatedAt})
}

// Document reads a document of a porting order with what is in it. ErrNotFound when there is none.
func (t *Tx) Document(ctx context.Context, tenantID, porting, id string) (d Document, content []byte, err error) {
	err = t.tx.QueryRow(ctx, `
		SELECT p.id, p.name, p.content_type, p.bytes, p.document, p.created_by, p.created_at, d.content
		  FROM porting_documents p JOIN documents d ON d.tenant_id = p.tenant_id AND d.hash = p.document
		 WHERE p.tenant_id = @tenant_id AND p.porting_id = @porting AND p.id = @id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "porting": porting, "id": id}).
		Scan(&d.ID, &d.Name, &d.ContentType, &d.Bytes, &d.Hash, &d.CreatedBy, &d.CreatedAt, &content)
	if err != nil {
		return d, nil, notFound("document", err)
	}
	d.CreatedAt = d.CreatedAt.UTC()
	return d, content, nil
}

// DeleteDocument removes a document from a porting order, and what is in it, when no other has the same. It says whether it was there.
func (t *Tx) DeleteDocument(ctx context.Context, tenantID, porting, id string) (was bool, err error) {
	tag, err := t.tx.Exec(ctx, `DELETE FROM porting_documents WHERE tenant_id = @tenant_id AND porting_id = @porting AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "porting": porting, "id": id})
	if err != nil {
		return false, fmt.Errorf("postgres: delete document: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	return true, t.exec(ctx, "delete document", `
		DELETE FROM documents d WHERE tenant_id = @tenant_id AND NOT EXISTS (SELECT FROM porting_documents p WHERE p.tenant_id = d.tenant_id AND p.document = d.hash)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID})
}
