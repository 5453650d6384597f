package importing_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/provisioning/importing"
	"tandem/provisioning/plan"
	"tandem/provisioning/plan/plantest"
)

var update = flag.Bool("update", false, "write what is read as what is expected")

type reader = func([]importing.File, importing.Options) (importing.Result, error)

func options() importing.Options {
	return importing.Options{Today: time.Date(2030, 1, 15, 0, 0, 0, 0, time.UTC)}
}

// below reads the files of a folder.
func below(t testing.TB, root string) (files []importing.File) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files = append(files, importing.File{Name: filepath.ToSlash(name), Text: text})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(files, func(a, b importing.File) int { return strings.Compare(a.Name, b.Name) })
	return files
}

// bare is a tenant that has numbers, and nothing else.
func bare() plan.Document {
	d := plan.Document{Tenant: "acme"}
	for _, n := range plantest.Owned() {
		d.Numbers = append(d.Numbers, plan.Number{Number: n})
	}
	return d
}

func TestWhatIsReadOfEachSourceAndWhatIsReported(t *testing.T) {
	for name, read := range map[string]reader{"fusionpbx": importing.FusionPBX, "kazoo": importing.Kazoo, "csv": importing.CSV} {
		files := below(t, filepath.Join("testdata", name))
		result, err := read(files, options())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		document, report := result.Onto(bare())
		text, err := document.Write("")
		if err != nil {
			t.Fatal(err)
		}
		got := string(text) + "\n" + strings.Join(report.Lines(), "\n") + "\n"
		golden := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is read otherwise (-update writes it anew):\n%s", name, got)
		}
		if faults := plan.Check(plan.Merge(bare(), document), plantest.Owned()); len(faults) > 0 {
			t.Errorf("%s: what is read does not hold together: %v", name, faults)
		}
		for _, secret := range []string{"not-for-you", "4711"} {
			if strings.Contains(got, secret) || strings.Contains(report.CSV(), secret) {
				t.Errorf("%s: a secret is shown", name)
			}
		}
		if again, err := read(files, options()); err != nil || strings.Join(again.Report.Lines(), "\n") != strings.Join(result.Report.Lines(), "\n") {
			t.Errorf("%s: the second reading is another: %v", name, err)
		}
	}
}

func TestAnImportRemovesNothing(t *testing.T) {
	result, err := importing.CSV([]importing.File{{Name: "users.csv", Text: []byte("extension,name\n105,New\n")}}, options())
	if err != nil {
		t.Fatal(err)
	}
	current := plantest.Full()
	document, _ := result.Onto(current)
	for _, c := range plan.Diff(current, document) {
		if c.Action != plan.Add {
			t.Errorf("it also %s", c.Words())
		}
	}
	if len(plan.Diff(current, document)) != 1 {
		t.Errorf("plans %v", plan.Diff(current, document))
	}
}

func TestAReportThatIsCSVHoldsNoFormula(t *testing.T) {
	for _, name := range []string{"=cmd()", "+1", "-1", "@x", " =1", "\t=1", "\r\n=1", "\u00a0=1", "=cmd|'/C calc'!A0"} {
		result, err := importing.CSV([]importing.File{{Name: "=users.csv", Text: []byte("extension,name,number\n" + `1,"` + name + `","` + name + `"` + "\n" + `102,x,"` + name + `"` + "\n")}}, options())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(result.Report.CSV()) {
			for cell := range strings.SplitSeq(line, ",") {
				if cell = strings.TrimLeft(strings.Trim(strings.TrimSpace(cell), `"`), " \u00a0\t"); cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
					t.Errorf("%q: the cell %q is a formula in %s", name, cell, line)
				}
			}
		}
	}
}

func TestSeveralCustomersOfFusionPBXAreKeptApart(t *testing.T) {
	files := []importing.File{{Name: "extensions.csv", Text: []byte("domain_uuid,extension,effective_caller_id_name\none,101,A\ntwo,101,B\n")},
		{Name: "domains.csv", Text: []byte("domain_uuid,domain_name\none,a.example\ntwo,b.example\n")}}
	if _, err := importing.FusionPBX(files, options()); err == nil || !strings.Contains(err.Error(), "a.example one, b.example two") {
		t.Errorf("says %v", err)
	}
	o := options()
	o.Domain = "b.example"
	result, err := importing.FusionPBX(files, o)
	if err != nil || len(result.Document.Users) != 1 || result.Document.Users[0].Name != "B" {
		t.Errorf("reads %v, %v", result.Document.Users, err)
	}
	o.Domain = "c.example"
	if _, err := importing.FusionPBX(files, o); err == nil {
		t.Error("a domain that is not there is read")
	}
}

func TestACountrysWayOfWritingNumbersIsRead(t *testing.T) {
	o := options()
	o.Country = "DE"
	result, err := importing.CSV([]importing.File{{Name: "numbers.csv", Text: []byte("number\n030 12345678\n")}}, o)
	if err != nil || len(result.Document.Numbers) != 1 || result.Document.Numbers[0].Number != "+493012345678" {
		t.Errorf("reads %v, %v", result.Document.Numbers, err)
	}
}

func fuzz(f *testing.F, folder string, read reader) {
	files := below(f, filepath.Join("testdata", folder))
	for _, file := range files {
		f.Add(file.Name, file.Text)
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		all := append(slices.Clone(files), importing.File{Name: name, Text: text})
		for _, some := range [][]importing.File{all, all[len(files):]} {
			result, err := read(some, options())
			if err != nil {
				continue
			}
			document, report := result.Onto(bare())
			written, err := document.Write("")
			if err != nil {
				t.Fatal(err)
			}
			again, err := plan.Read(written)
			if err != nil {
				t.Fatalf("%v\n%s", err, written)
			}
			if changes := plan.Diff(plan.Merge(bare(), document), again); len(changes) > 0 {
				t.Fatalf("plans %v", changes)
			}
			if faults := plan.Check(plan.Merge(bare(), document), plantest.Owned()); len(faults) > 0 {
				t.Fatalf("does not hold together: %v\n%s", faults, written)
			}
			_ = report.CSV()
			_ = report.Lines()
		}
	})
}

func FuzzFusionPBX(f *testing.F) { fuzz(f, "fusionpbx", importing.FusionPBX) }
func FuzzKazoo(f *testing.F)     { fuzz(f, "kazoo", importing.Kazoo) }
func FuzzCSV(f *testing.F)       { fuzz(f, "csv", importing.CSV) }
