package plan_test

import (
	"os"
	"path/filepath"
	"testing"

	"tandem/provisioning/plan"
	"tandem/provisioning/plan/plantest"
)

// FuzzRead: whatever is read, is read again from what is written of it, and plans to nothing.
func FuzzRead(f *testing.F) {
	d := plantest.Full()
	sample, err := d.Write("")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add(jsonOf(f, d))
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := plan.Read(file)
		if err != nil {
			return
		}
		written, err := d.Write("")
		if err != nil {
			t.Fatal(err)
		}
		again, err := plan.Read(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		plan.Check(d, nil)
		if changes := plan.Diff(d, again); len(changes) > 0 {
			t.Fatalf("plans %v\n%s", changes, written)
		}
		if twice, _ := again.Write(""); string(twice) != string(written) {
			t.Fatalf("is written otherwise:\n%s\n%s", written, twice)
		}
	})
}
