package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestFreeSWITCHIsReadyWhenItsCoreSaysSo(t *testing.T) {
	bin, ok := FindFreeSWITCH()
	if !ok || IsAddress(bin) {
		t.Skip("no FreeSWITCH binary on this machine: TANDEM_FREESWITCH may name one")
	}
	s := begun(t, Options{})
	port, err := FreePort()
	must(t, err)
	text, err := os.ReadFile("testdata/freeswitch.xml")
	must(t, err)
	config := t.TempDir()
	content := strings.NewReplacer("PORT", strconv.Itoa(port), "PASSWORD", "of this test").Replace(string(text))
	must(t, os.WriteFile(filepath.Join(config, "freeswitch.xml"), []byte(content), 0o600))
	options := FreeSWITCHOptions{Bin: bin, ConfigDir: config, EventSocket: loopback(port), Password: "of this test"}
	p, err := s.StartFreeSWITCH(t.Context(), options)
	must(t, err)
	must(t, freeswitchAnswers(loopback(port), "")(t.Context()))
	if err := freeswitchAnswers(loopback(port), "wrong")(t.Context()); err == nil || !strings.Contains(err.Error(), "refused the password") {
		t.Errorf("wrong password: %v", err)
	}
	must(t, p.Stop(t.Context()))
	if p.err != nil {
		t.Errorf("it did not end in order: %v", p.err)
	}
}

func TestFindFreeSWITCHBelievesItsVariable(t *testing.T) {
	for where, want := range map[string]bool{
		"127.0.0.1:8021": true, "[::1]:8021": true, "media1:8021": true,
		"/bin/sh": true, "/no/such/freeswitch": false, "/tmp": false, "nonsense": false, "media1:": false,
	} {
		t.Setenv(freeswitchVariable, where)
		if got, ok := FindFreeSWITCH(); ok != want || got != where {
			t.Errorf("%s: got %s, %v", where, got, ok)
		}
	}
}

// record is a T that remembers a fatal error instead of dying of it.
type record struct {
	*testing.T
	fatal string
}

func (r *record) Fatalf(format string, arguments ...any) {
	r.fatal = fmt.Sprintf(format, arguments...)
	panic(r)
}

func TestForTestWithoutAStackSaysWhatToRun(t *testing.T) {
	for _, dir := range []string{"", "/no/such/folder"} {
		t.Setenv(folderVariable, dir)
		r := &record{T: t}
		func() {
			defer func() { _ = recover() }()
			ForTest(r)
		}()
		if !strings.Contains(r.fatal, "make test") || strings.Contains(r.fatal, "\n") {
			t.Errorf("%q: got %q", dir, r.fatal)
		}
	}
}
