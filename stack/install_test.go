package stack

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestInstallOfWhatIsThereSaysAndDoesNothing(t *testing.T) {
	install(t, PostgreSQL, RabbitMQ, Kamailio, SIPTester)
	var out bytes.Buffer
	if err := Install(t.Context(), &out, PostgreSQL, RabbitMQ, Kamailio, SIPTester); err != nil || out.Len() > 0 {
		t.Errorf("got %v, said %q", err, &out)
	}
}

func TestInstallRefusesAnUnknownProgram(t *testing.T) {
	if err := Install(t.Context(), io.Discard, Program(0)); err == nil || !strings.Contains(err.Error(), "no Debian package") {
		t.Errorf("got %v", err)
	}
}

func TestPolicyForbidsOnlyWhileItsMakerLives(t *testing.T) {
	for _, test := range []struct {
		pid  string
		want int
	}{{itoa(os.Getpid()), policyDenied}, {"999999999", 0}} {
		name := filepath.Join(t.TempDir(), "policy-rc.d")
		must(t, os.WriteFile(name, []byte(strings.ReplaceAll(policy, "%d", test.pid)), 0o700))
		cmd := exec.Command(name, "postgresql", "start")
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != test.want {
			t.Errorf("pid %s: exit code %d, want %d", test.pid, got, test.want)
		}
	}
}

func TestFolderThatOtherAccountsCannotEnterIsReplaced(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts programs under other accounts")
	}
	closed := t.TempDir()
	must(t, os.Chmod(closed, 0o700))
	var out bytes.Buffer
	path, err := chooseFolder(filepath.Join(closed, ".tandem"), &out)
	must(t, err)
	t.Cleanup(func() { os.Remove(path) })
	again, err := chooseFolder(filepath.Join(closed, ".tandem"), io.Discard)
	must(t, err)
	if !strings.HasPrefix(path, "/var/tmp/tandem-") || path != again {
		t.Errorf("got %s, then %s", path, again)
	}
	if !strings.Contains(out.String(), "using "+path) {
		t.Errorf("said %q", &out)
	}
	t.Setenv("TMPDIR", closed)
	fresh, err := chooseFolder("", io.Discard)
	must(t, err)
	t.Cleanup(func() { os.Remove(fresh) })
	if !reachable(fresh) {
		t.Errorf("chose %s", fresh)
	}
}

func TestFolderOfSomebodyElseIsRefused(t *testing.T) {
	open, err := os.MkdirTemp("/var/tmp", "tandem-test-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(open) })
	must(t, os.Chmod(open, 0o755))
	link := filepath.Join(open, "link")
	must(t, os.Symlink("/etc", link))
	if _, err := chooseFolder(link, io.Discard); err == nil || !strings.Contains(err.Error(), "not a folder of this account") {
		t.Errorf("took a symbolic link for a folder of its own: %v", err)
	}
}

func TestNamesAreUniqueAndHarmless(t *testing.T) {
	one, other := unique(`TestX/"; DROP DATABASE`, "_"), unique(`TestX/"; DROP DATABASE`, "_")
	if one == other || !strings.HasPrefix(one, "t_testx____drop_database_") || len(unique(strings.Repeat("x", 99), "-")) > 63 {
		t.Errorf("got %q and %q", one, other)
	}
}
