package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// exits runs a command of Tandem's and gives what it prints and its exit code.
func (w *world) exits(t *testing.T, arguments ...string) (out string, code int) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	var printed bytes.Buffer
	cmd := exec.CommandContext(within(t), self, append(arguments, "--api", "http://"+w.HTTPAddress)...)
	cmd.Env = append(os.Environ(), asTandem, "TANDEM_API_KEY="+w.operatorKey)
	cmd.Stdout, cmd.Stderr = &printed, &printed
	_ = cmd.Run() // the exit code says it
	t.Logf("$ tandem %s\n%s", strings.Join(arguments, " "), printed.String())
	return printed.String(), cmd.ProcessState.ExitCode()
}

// TestATenantIsExportedPlannedAndApplied goes through the commands as an operator does.
func TestATenantIsExportedPlannedAndApplied(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, s := range []struct {
		arguments []string
		code      int
		says      string
	}{
		{[]string{"plan", write("empty.yaml", "")}, 1, "the file is empty"},
		{[]string{"plan", write("nobody.yaml", "format: 1\n")}, 1, "the file names no tenant: say --tenant"},
		{[]string{"plan", write("bad.yaml", "format: 1\nusers:\n- {id: x, nam: x}\n"), "--tenant", c.id}, 1, "line 3: /users/x/nam is not known"},
		{[]string{"plan", write("gone.yaml", "format: 1\nusers: []\n"), "--tenant", "ghost"}, 1, "there is no such tenant"},
	} {
		if out, code := w.exits(t, s.arguments...); code != s.code || !strings.Contains(out, s.says) {
			t.Errorf("%v: exit code %d, want %d and %q", s.arguments, code, s.code, s.says)
		}
	}
	exported, code := w.exits(t, "export", c.id)
	if code != 0 {
		t.Fatalf("export: exit code %d", code)
	}
	same := write("same.yaml", exported)
	if out, code := w.exits(t, "plan", same); code != 0 || !strings.Contains(out, "is as the file says.") {
		t.Errorf("an export plans: exit code %d", code)
	}
	more := write("more.yaml", "format: 1\ntenant: "+c.id+"\nlists:\n- {id: vip, name: VIP, entries: ['101']}\nblocked_callers: ['+12025550199']\n")
	kept := filepath.Join(dir, "kept.plan")
	if out, code := w.exits(t, "plan", more, "--out", kept); code != 2 || !strings.Contains(out, "Adds 1 list.") || !strings.Contains(out, "Calls from +12025550199 are refused.") {
		t.Errorf("the plan has exit code %d", code)
	}
	if out, code := w.exits(t, "apply", kept); code != 0 || !strings.Contains(out, "Version 2 is published.") {
		t.Errorf("applying has exit code %d: %s", code, out)
	}
	if out, code := w.exits(t, "apply", kept); code != 1 || !strings.Contains(out, "(stale)") {
		t.Errorf("applying the same plan again has exit code %d: %s", code, out)
	}
	if out, code := w.exits(t, "apply", more); code != 0 || !strings.Contains(out, "is as the file says.") {
		t.Errorf("applying what is so already has exit code %d", code)
	}
	if out, code := w.exits(t, "apply", same); code != 1 || !strings.Contains(out, "say --yes") || !strings.Contains(out, "Removes 1 list: all that there are.") {
		t.Errorf("applying with nobody to ask has exit code %d: %s", code, out)
	}
	sheets := write("users.csv", "extension,name,voicemail\n771,\"=cmd()\",yes\n1,Short,\n")
	report := filepath.Join(dir, "report.csv")
	if out, code := w.exits(t, "import", "csv", sheets, "--tenant", c.id, "--report", report); code != 2 || !strings.Contains(out, "Adds user 771 (extension 771).") ||
		!strings.Contains(out, "users.csv:3: user 1: the extension is not 2 to 8 digits") || !strings.Contains(out, "Nothing was changed.") || strings.Contains(out, "Removes") {
		t.Errorf("an import has exit code %d: %s", code, out)
	}
	if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), "left,users.csv:3,user,1,") {
		t.Errorf("the report is %s, %v", text, err)
	}
	if out, code := w.exits(t, "import", "csv", sheets, "--tenant", c.id, "--apply"); code != 0 || !strings.Contains(out, "voicemail box of user 771: PIN ") {
		t.Errorf("applying an import has exit code %d: %s", code, out)
	}
}
