package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kamailioConfig writes the test configuration with a listener of its own.
func kamailioConfig(t *testing.T, more string) (config, address string) {
	t.Helper()
	port, err := FreeUDPPort()
	must(t, err)
	text, err := os.ReadFile("testdata/kamailio.cfg")
	must(t, err)
	config = filepath.Join(t.TempDir(), "kamailio.cfg")
	must(t, os.WriteFile(config, []byte(strings.ReplaceAll(string(text), "LISTEN", loopback(port))+more), 0o600))
	return config, loopback(port)
}

func TestKamailioAnswersOnceStarted(t *testing.T) {
	install(t, Kamailio, SIPTester)
	s := begun(t, Options{})
	config, address := kamailioConfig(t, "")
	must(t, CheckKamailio(t.Context(), config))
	p, err := s.StartKamailio(t.Context(), KamailioOptions{Config: config, Name: "edge1"})
	must(t, err)
	result, err := SIPp{Scenario: "testdata/uac.xml", Remote: address}.Run(t.Context())
	must(t, err)
	if err := result.Err(); err != nil {
		t.Error(err)
	}
	members := tree(p.Pid())
	must(t, s.Close())
	for _, pid := range members {
		if alive(pid) {
			t.Errorf("process %d of Kamailio is left after Close", pid)
		}
	}
}

func TestKamailioErrorNamesTheLineOfTheConfiguration(t *testing.T) {
	install(t, Kamailio)
	s := begun(t, Options{})
	config, address := kamailioConfig(t, "\nroute[X] { no_such_function(); }\n")
	_, err := s.StartKamailio(t.Context(), KamailioOptions{Config: config, Address: address})
	for _, err := range []error{err, CheckKamailio(t.Context(), config)} {
		if err == nil || !strings.Contains(err.Error(), "line 15, column 29") || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v", err)
		}
	}
}

// answering writes the scenario of a phone that answers with the status.
func answering(t *testing.T, status string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/uas.xml")
	must(t, err)
	scenario := filepath.Join(t.TempDir(), "uas.xml")
	must(t, os.WriteFile(scenario, []byte(strings.ReplaceAll(string(text), "STATUS", status)), 0o600))
	return scenario
}

func TestSIPpTellsHowACallWent(t *testing.T) {
	install(t, SIPTester)
	for _, test := range []struct {
		status string
		code   int
		says   string
	}{
		{"200", 0, ""},
		{"603", 1, "603"},
	} {
		t.Run(test.status, func(t *testing.T) {
			phone, err := SIPp{Scenario: answering(t, test.status)}.Start(t.Context())
			must(t, err)
			caller, err := SIPp{Scenario: "testdata/uac.xml", Remote: loopback(phone.Port)}.Run(t.Context())
			must(t, err)
			if caller.ExitCode != test.code || !strings.Contains(strings.Join(caller.Errors, "\n"), test.says) {
				t.Errorf("got %d, %q", caller.ExitCode, caller.Errors)
			}
			if !strings.Contains(caller.Messages, "SIP/2.0 "+test.status) {
				t.Errorf("messages lack the answer: %q", caller.Messages)
			}
			answered, err := phone.Wait(t.Context())
			must(t, err)
			if err := answered.Err(); err != nil || !strings.Contains(answered.Logs, "asked") {
				t.Errorf("phone: %v, logs %q", err, answered.Logs)
			}
			if _, err := os.Stat(filepath.Join(os.TempDir(), filepath.Base(phone.process.log))); !os.IsNotExist(err) {
				t.Errorf("files are left: %v", err)
			}
		})
	}
}

func TestSIPpIsBounded(t *testing.T) {
	install(t, SIPTester)
	began := time.Now()
	// Nobody calls.
	phone, err := SIPp{Scenario: answering(t, "200"), Timeout: time.Second}.Start(t.Context())
	must(t, err)
	result, err := phone.Wait(t.Context())
	must(t, err)
	if took := time.Since(began); result.Err() == nil || took > time.Second+sippGrace {
		t.Errorf("%v after %s", result.Err(), took)
	}
	// And one is stopped when it is no longer needed.
	phone, err = SIPp{Scenario: answering(t, "200")}.Start(t.Context())
	must(t, err)
	if _, err := phone.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSIPpQuotesABrokenScenario(t *testing.T) {
	install(t, SIPTester)
	broken := filepath.Join(t.TempDir(), "broken.xml")
	must(t, os.WriteFile(broken, []byte("<scenario><nonsense/></scenario>"), 0o600))
	result, err := SIPp{Scenario: broken, Remote: "127.0.0.1:9"}.Run(t.Context())
	must(t, err)
	if got := fmt.Sprint(result.Err()); !strings.Contains(got, "Unable to load or parse") {
		t.Errorf("got %v", got)
	}
	if _, err := (SIPp{Scenario: "no/such.xml"}).Run(t.Context()); err == nil {
		t.Error("a scenario that does not exist ran")
	}
}
