package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/sipptest"
	"tandem/tenants"
)

// A number is ported in by the command line, starts a flow by a sheet that publishes it, and is called.
func TestANumberIsPortedInAndRoutedByTheCommandLine(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	number, dir := "+1404555"+c.number[len(c.number)-4:], t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	run := func(want string, arguments ...string) string {
		t.Helper()
		out, code := w.exits(t, arguments...)
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("%v: exit code %d, want %q", arguments, code, want)
		}
		return out
	}
	made := run("is draft.", "porting", "create", c.id, "in", "--carrier", "Other Telecom", "--subscriber", "Company", "--number", number)
	order := strings.Fields(made)[3]
	run("is draft.", "porting", "set", c.id, order, "--account", "4711")
	attached := run("letter.pdf is attached as", "porting", "attach", c.id, order, file("letter.pdf", "%PDF-1.4 a letter"))
	run("is submitted.", "porting", "submit", c.id, order)
	run(number, "porting", "list", "--state", "submitted")
	if out, code := w.exits(t, "porting", "ported", c.id, order); code != 1 {
		t.Errorf("what is not scheduled is ported: %s", out)
	}
	run("is accepted.", "porting", "accept", c.id, order)
	run("is scheduled.", "porting", "schedule", c.id, order, time.Now().UTC().Format(time.DateOnly), "--comment", "at noon")
	run("is ported.", "porting", "ported", c.id, order)
	shown := run("account       4711", "porting", "show", c.id, order)
	if !strings.Contains(shown, "at noon") || !strings.Contains(shown, "application/pdf") {
		t.Errorf("shown:\n%s", shown)
	}
	document := strings.TrimSuffix(strings.Fields(attached)[4], ".")
	run("", "porting", "document", c.id, order, document, filepath.Join(dir, "got.pdf"))
	if got, err := os.ReadFile(filepath.Join(dir, "got.pdf")); err != nil || string(got) != "%PDF-1.4 a letter" {
		t.Errorf("the document: %q %v", got, err)
	}

	must(t, w.Provisioning.SaveFlow(within(t), c.id, tenants.Flow{ID: "ported", Name: "Ported", Start: "two", Elements: map[string]tenants.Element{"two": ringing("at_once", 10, "two")}}))
	sheet := file("sheet.csv", "number,step,flow\n"+number+",route,ported\n")
	run(`"changed":1`, "number", "sheet", sheet, "--of", c.id, "--dry-run")
	run(`"published":["`+c.id+`"]`, "number", "sheet", sheet, "--of", c.id, "--publish")
	w.awaitRevision(t)
	c.register(t, "two")
	two := c.listen(t, "two", sipptest.Behaviour{})
	succeed(t, w.incoming(t, "+12025550177", number, sipptest.Call{}), two)
	if out, code := w.exits(t, "number", "sheet", file("bad.csv", "number,step,flow\n"+number+",route,nowhere\n"), "--of", c.id); code != 1 || !strings.Contains(out, "flow_unknown") {
		t.Errorf("a sheet with a fault: exit code %d", code)
	}
}
