package provisioning_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tandem/provisioning/importing"
	"tandem/provisioning/plan"
)

// What is read of each source can be applied: the tenant publishes, and workers find no fault with it. The second time there is nothing to
// be done.
func TestAnImportIsApplied(t *testing.T) {
	for name, read := range map[string]func([]importing.File, importing.Options) (importing.Result, error){
		"fusionpbx": importing.FusionPBX, "kazoo": importing.Kazoo, "csv": importing.CSV} {
		t.Run(name, func(t *testing.T) {
			w := asFile(t)
			var files []importing.File
			root := filepath.Join("importing", "testdata", name)
			w.must(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				text, err := os.ReadFile(path)
				name, _ := filepath.Rel(root, path)
				files = append(files, importing.File{Name: filepath.ToSlash(name), Text: text})
				return err
			}))
			result, err := read(files, importing.Options{Today: time.Date(2030, 1, 15, 0, 0, 0, 0, time.UTC)})
			w.must(err)
			wanted, _ := result.Onto(w.export().Document)
			done := w.apply(wanted)
			if len(done.Passwords) != 3 || done.Published != 1 {
				t.Errorf("applying gives %d passwords, version %d", len(done.Passwords), done.Published)
			}
			w.snapshot()
			wanted, _ = result.Onto(w.export().Document)
			if changes := plan.Diff(w.export().Document, wanted); len(changes) > 0 {
				t.Errorf("the second time it plans %v", changes)
			}
		})
	}
}
