package freeswitchconf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func values() Values {
	return Values{
		Name: "node-1", Password: "0123456789abcdef", EventSocket: netip.MustParseAddrPort("127.0.0.1:8022"),
		SIP: netip.MustParseAddrPort("127.0.0.1:5082"), Edges: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/24")},
		EdgePorts: []uint16{5060, 5061}, RTP: netip.MustParseAddr("127.0.0.1"), RTPStart: 30000, RTPEnd: 30999,
		MaxSessions: 50, Heartbeat: time.Second,
	}
}

func TestWrittenFolderHasEveryValueAndIsPrivate(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, values()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "conf", "values.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tandem_event_socket_port=8022", "tandem_event_socket_password=0123456789abcdef", "tandem_sip_port=5082",
		"tandem_edges=127.0.0.1/32,10.0.0.0/24", "tandem_edge_ports=5060,5061", "tandem_rtp_start=30000", "tandem_heartbeat_seconds=1"} {
		if !strings.Contains(string(got), `data="`+want+`"`) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	for _, name := range []string{"conf", "conf/values.xml", "conf/freeswitch.xml"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is readable by others: %v", name, info.Mode())
		}
	}
}

func TestPasswordIsRequiredAndNotTheShippedOne(t *testing.T) {
	for _, password := range []string{"", shippedPassword} {
		v := values()
		v.Password = password
		if err := Write(t.TempDir(), v); !errors.Is(err, errNoPassword) {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestValueThatWouldSayMoreIsRefused(t *testing.T) {
	for _, hostile := range []string{`x"/><param name="y"`, "a$${b}", "a;b=c", "a=b", "a\nb", "<!--", strings.Repeat("a", maxValue+1)} {
		v := values()
		v.Password = hostile
		if err := Write(t.TempDir(), v); err == nil {
			t.Errorf("%.20q is accepted", hostile)
		}
	}
}

func TestDocumentIsXMLAndSetsEveryVariableItUses(t *testing.T) {
	decoder := xml.NewDecoder(bytes.NewReader(document))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	set := map[string]bool{"sounds_dir": true, "core_uuid": true} // by a flag
	for _, m := range regexp.MustCompile(`cmd="set" data="([a-z_]+)=`).FindAllSubmatch(document, -1) {
		set[string(m[1])] = true
	}
	for _, m := range regexp.MustCompile(`\$\$\{([a-z_]+)\}`).FindAllSubmatch(document, -1) {
		if !set[string(m[1])] {
			t.Errorf("%s is used and has no default", m[1])
		}
	}
	for _, v := range values().list() {
		if !set["tandem_"+v.name] {
			t.Errorf("nothing reads %s", v.name)
		}
	}
}

func TestDocumentHasNoPasswordThatAnyoneKnows(t *testing.T) {
	if strings.Contains(strings.ToLower(string(document)), strings.ToLower(shippedPassword)) {
		t.Error("the shipped password is in the document")
	}
	if !strings.Contains(string(document), `data="tandem_event_socket_password=$${core_uuid}"`) {
		t.Error("the default password is not this run's own")
	}
}
