package kamailioconf_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	kamailioconf "tandem/kamailio-conf"
	"tandem/stack"
)

func goodValues() kamailioconf.Values {
	return kamailioconf.Values{
		Edge: "edge1.example.com", Outside: "192.0.2.1:5060", Inside: "10.0.0.1:5070", Advertise: "192.0.2.10:5060",
		AMQPURL: "amqp://tandem:p%40ss@127.0.0.1:5672/%2F", PostgresURL: "postgres://tandem_edge:secret@127.0.0.1:5432/tandem?sslmode=disable",
		EmergencyNumbers: []string{"112", "911", "+112", "*9"}, EmergencyTrunk: "sip:192.0.2.9:5060;transport=tcp",
		WebSocket: "192.0.2.1:443", Origins: []string{"https://admin.example.com"}, TLS: "192.0.2.1:5061",
		Certificate: "/etc/tandem/edge.pem", Key: "/etc/tandem/edge.key",
	}
}

func TestWhatWriteWritesKamailioAccepts(t *testing.T) {
	if !stack.Kamailio.Installed() {
		t.Fatal("Kamailio is not installed: run `make test`")
	}
	v := goodValues()
	v.Outside, v.Inside = "127.0.0.1:5060", "127.0.0.1:5070" // Kamailio wants addresses that the machine has
	v.WebSocket, v.TLS = "127.0.0.1:8443", "127.0.0.1:5061"
	dir := t.TempDir()
	path, err := kamailioconf.Write(dir, v)
	if err != nil {
		t.Fatal(err)
	}
	if path != filepath.Join(dir, "kamailio.cfg") {
		t.Errorf("path %s", path)
	}
	if err := stack.CheckKamailio(t.Context(), path); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(dir, "values.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the passwords has mode %v", info.Mode())
	}
}

func TestWriteRefusesWhatWouldBreakTheConfiguration(t *testing.T) {
	for name, spoil := range map[string]func(*kamailioconf.Values){
		"no name":                   func(v *kamailioconf.Values) { v.Edge = "" },
		"name that ends a string":   func(v *kamailioconf.Values) { v.Edge = `a"b` },
		"name that ends a rule":     func(v *kamailioconf.Values) { v.Edge = "a!b" },
		"outside without a port":    func(v *kamailioconf.Values) { v.Outside = "192.0.2.1" },
		"inside by name":            func(v *kamailioconf.Values) { v.Inside = "inside:5070" },
		"advertise with a line end": func(v *kamailioconf.Values) { v.Advertise = "a:1\nlisten=udp:0.0.0.0:1" },
		"broker of another kind":    func(v *kamailioconf.Values) { v.AMQPURL = "http://127.0.0.1/" },
		"broker password":           func(v *kamailioconf.Values) { v.AMQPURL = `amqp://a:b"c@127.0.0.1/` },
		"database without a name":   func(v *kamailioconf.Values) { v.PostgresURL = "postgres://a:b@127.0.0.1:5432" },
		"database password":         func(v *kamailioconf.Values) { v.PostgresURL = "postgres://a:b%21c@127.0.0.1:5432/d" },
		"emergency number":          func(v *kamailioconf.Values) { v.EmergencyNumbers = []string{"112|.*"} },
		"no emergency trunk":        func(v *kamailioconf.Values) { v.EmergencyTrunk = "" },
		"emergency trunk":           func(v *kamailioconf.Values) { v.EmergencyTrunk = "sip:a b" },
		"local network":             func(v *kamailioconf.Values) { v.LocalNetworks = []string{"here"} },
		"a WebSocket for everybody": func(v *kamailioconf.Values) { v.Origins = nil },
		"an origin that is a page":  func(v *kamailioconf.Values) { v.Origins = []string{"https://admin.example.com/"} },
		"any origin":                func(v *kamailioconf.Values) { v.Origins = []string{"https://.*"} },
		"WebSocket by name":         func(v *kamailioconf.Values) { v.WebSocket = "edge:443" },
		"no key":                    func(v *kamailioconf.Values) { v.Key = "" },
		"no certificate":            func(v *kamailioconf.Values) { v.Certificate, v.Key = "", "" },
		"a certificate nearby":      func(v *kamailioconf.Values) { v.Certificate = "edge.pem" },
		"a path that ends a line":   func(v *kamailioconf.Values) { v.Key = "/etc/key\nverify" },
		"a negative bound":          func(v *kamailioconf.Values) { v.BanAfter = -1 },
		"a wait below zero":         func(v *kamailioconf.Values) { v.AnswerWait = -time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			v := goodValues()
			spoil(&v)
			if path, err := kamailioconf.Write(t.TempDir(), v); err == nil {
				t.Errorf("%s was written", path)
			}
		})
	}
	if _, err := kamailioconf.Write(t.TempDir(), goodValues()); err != nil {
		t.Errorf("the good values themselves: %v", err)
	}
}
