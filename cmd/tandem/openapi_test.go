package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The Go client is made of the document as it is, by the generator as it is set up, and nobody has changed what was made: `make generate` writes the sums.
func TestTheGoClientIsMadeOfThisDocument(t *testing.T) {
	const folder = "../../provisioning/client/generate"
	whole, err := wholeDocument()
	must(t, err)
	lean, err := documentForClients(whole)
	must(t, err)
	var document bytes.Buffer
	must(t, writeDocument(&document, lean))
	sums, err := os.Open(filepath.Join(folder, "made.sum"))
	must(t, err)
	defer sums.Close()
	files := 0
	for lines := bufio.NewScanner(sums); lines.Scan(); files++ {
		want, name, _ := strings.Cut(lines.Text(), "  ")
		text := document.Bytes()
		if name != "openapi.json" {
			text, err = os.ReadFile(filepath.Join(folder, name))
			must(t, err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not what the Go client was made of, or with: run `make generate`", name)
		}
	}
	if files < 2 {
		t.Error("made.sum is empty")
	}
}
