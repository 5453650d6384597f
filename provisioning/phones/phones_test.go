package phones_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/provisioning/phones"
)

func berlin(t testing.TB) phones.Zone {
	t.Helper()
	location, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return phones.ZoneOf(location, 2026)
}

// reception is a phone with one key of each type.
func reception(t testing.TB, v phones.Vendor) phones.Phone {
	return phones.Phone{
		Vendor: v, MAC: "001565aabbcc", Name: "Empfang & Zentrale", Label: "100", Username: "100-desk", Password: "WHTTQ3ZG6EY7QUDM2B5KXQ4RJA",
		Domain: "one.example.test", Server: phones.Server{Host: "sip.example.test", Port: 5060, Transport: phones.TCP}, Zone: berlin(t),
		Keys: []phones.Key{
			{Type: phones.KeyLine},
			{Type: phones.KeyLamp, Label: "Ana \"the boss\" <1>", Value: "101"},
			{Type: phones.KeyNone},
			{Type: phones.KeySpeedDial, Label: "Taxi", Value: "+493012345"},
		},
		Codecs: []phones.Codec{phones.Opus, phones.PCMA}, Time: "time.example.test", Note: "Update to 10.1 -- by hand.",
	}
}

// each calls a test for every file of every vendor.
func each(t *testing.T, test func(t *testing.T, v phones.Vendor, name string)) {
	for _, about := range phones.Vendors() {
		for _, name := range phones.Names(about.Vendor, "001565aabbcc") {
			t.Run(string(about.Vendor)+"/"+name, func(t *testing.T) { test(t, about.Vendor, name) })
		}
	}
}

func render(t testing.TB, p phones.Phone, name string) phones.File {
	t.Helper()
	f, err := phones.Render(p, name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var update = flag.Bool("update", false, "write the golden files anew")

func TestEachVendorsFilesAreAsTheyWere(t *testing.T) {
	each(t, func(t *testing.T, v phones.Vendor, name string) {
		f := render(t, reception(t, v), name)
		golden := filepath.Join("testdata", string(v)+"-"+name)
		if *update {
			if err := os.WriteFile(golden, []byte(f.Body), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if f.Body != string(want) {
			t.Errorf("%s has changed; if that was meant, run the test with -update and read the difference\n%s", golden, f.Body)
		}
		if f.Name != name || f.ContentType == "" {
			t.Errorf("it is %q, a %q", f.Name, f.ContentType)
		}
	})
}

// The order of the keys, the account and the password reach the phone of each vendor in one file or another.
func TestWhatWasAskedForIsInTheFiles(t *testing.T) {
	for _, about := range phones.Vendors() {
		p, all := reception(t, about.Vendor), ""
		for _, name := range phones.Names(about.Vendor, p.MAC) {
			all += render(t, p, name).Body
		}
		for _, want := range []string{p.Username, p.Password, p.Domain, p.Server.Host, "5060", "Empfang", "Taxi", "+493012345", "101", p.Time, "10.1"} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no file holds %s", about.Vendor, want)
			}
		}
	}
}

func TestThePasswordIsInTheFilesThatSayIt(t *testing.T) {
	each(t, func(t *testing.T, v phones.Vendor, name string) {
		p := reception(t, v)
		f := render(t, p, name)
		there, secret := phones.Holds(v, p.MAC, name)
		if !there || secret != f.Secret || strings.Contains(f.Body, p.Password) != f.Secret {
			t.Errorf("Secret is %v, Holds says %v %v, and the password is in it: %v", f.Secret, there, secret, strings.Contains(f.Body, p.Password))
		}
	})
}

func TestNamesOfFilesHaveNoCase(t *testing.T) {
	for _, name := range []string{"001565AABBCC.cfg", "001565aabbcc.CFG"} {
		if there, secret := phones.Holds(phones.Yealink, "001565aabbcc", name); !there || !secret {
			t.Errorf("%s is not found", name)
		}
	}
	for _, name := range []string{"", "001565aabbcd.cfg", "../001565aabbcc.cfg", "001565aabbcc.cfg\x00", "y000000000028.cfg"} {
		if there, _ := phones.Holds(phones.Yealink, "001565aabbcc", name); there {
			t.Errorf("%q is found", name)
		}
		if _, err := phones.Render(reception(t, phones.Yealink), name); !errors.Is(err, phones.ErrMalformed) {
			t.Errorf("%q is written: %v", name, err)
		}
	}
}

func TestAPhoneWithAMalformedValueIsRefused(t *testing.T) {
	for what, change := range map[string]func(*phones.Phone){
		"vendor":       func(p *phones.Phone) { p.Vendor = "acme" },
		"mac":          func(p *phones.Phone) { p.MAC = "001565aabb<c" },
		"no mac":       func(p *phones.Phone) { p.MAC = "" },
		"username":     func(p *phones.Phone) { p.Username = "a\nb" },
		"password":     func(p *phones.Phone) { p.Password = "a b" },
		"no password":  func(p *phones.Phone) { p.Password = "" },
		"domain":       func(p *phones.Phone) { p.Domain = "one.test;transport=tcp" },
		"server":       func(p *phones.Phone) { p.Server.Host = "one.test\n" },
		"port":         func(p *phones.Phone) { p.Server.Port = 65536 },
		"transport":    func(p *phones.Phone) { p.Server.Transport = "sctp" },
		"time server":  func(p *phones.Phone) { p.Time = "$(x)" },
		"type of key":  func(p *phones.Phone) { p.Keys[0].Type = "macro" },
		"lamp":         func(p *phones.Phone) { p.Keys[1].Value = "101;fnc=sd" },
		"speed dial":   func(p *phones.Phone) { p.Keys[3].Value = "1\r\n2" },
		"many keys":    func(p *phones.Phone) { p.Keys = make([]phones.Key, phones.MaxKeys+1) },
		"many codecs":  func(p *phones.Phone) { p.Codecs = make([]phones.Codec, 99) },
		"line's value": func(p *phones.Phone) { p.Keys[0].Value = "1" },
	} {
		p := reception(t, phones.Snom)
		change(&p)
		if _, err := phones.Render(p, "001565aabbcc.xml"); !errors.Is(err, phones.ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestMACAddressesAreReadHoweverTheyAreWritten(t *testing.T) {
	for written, want := range map[string]phones.MAC{
		"001565aabbcc": "001565aabbcc", "00:15:65:AA:bb:CC": "001565aabbcc", "00-15-65-aa-bb-cc": "001565aabbcc", "0015.65aa.bbcc": "001565aabbcc",
		"": "", "001565aabbc": "", "001565aabbccd": "", "001565aabbcg": "", "000000000000": "", "ffffffffffff": "", "01005e000001": "", "０01565aabbc": "",
	} {
		if got, ok := phones.ParseMAC(written); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v", written, got, ok)
		}
	}
}

// shape is a file with its values taken out: what a value must not be able to change.
func shape(t testing.TB, f phones.File) string {
	t.Helper()
	if !strings.HasPrefix(f.ContentType, "text/xml") {
		return iniShape(t, f.Body)
	}
	var b strings.Builder
	d := xml.NewDecoder(strings.NewReader(f.Body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("it is no XML: %v\n%s", err, f.Body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			b.WriteString("<" + token.Name.Local)
			for _, a := range token.Attr {
				b.WriteString(" " + a.Name.Local)
				if a.Name.Local == "name" || a.Name.Local == "idx" || a.Name.Local == "index" {
					b.WriteString("=" + a.Value) // these are ours
				}
			}
			b.WriteString(">")
		case xml.EndElement:
			b.WriteString("</>")
		case xml.CharData, xml.Comment:
		case xml.ProcInst, xml.Directive:
			b.WriteString("!")
		}
	}
}

// iniShape reads the lines as a phone does that is lenient about line ends.
func iniShape(t testing.TB, body string) string {
	t.Helper()
	var b strings.Builder
	lines := strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) })
	for i, line := range lines {
		key, _, found := strings.Cut(line, " = ")
		if strings.HasPrefix(line, "#") {
			key, found = "#", true
			if i > 1 {
				t.Fatalf("a comment in the middle: %q", line)
			}
		}
		if !found || i == 0 && line != "#!version:1.0.0.1" {
			t.Fatalf("the line %q is no setting", line)
		}
		b.WriteString(key + "\n")
	}
	return b.String()
}

// hostile puts one text wherever text may be, and wherever a form is asked for if it has that form.
func hostile(t testing.TB, v phones.Vendor, text string) phones.Phone {
	p := reception(t, v)
	p.Name, p.Label, p.Note, p.Model = text, text, text, text
	for i := range p.Keys {
		p.Keys[i].Label = text
	}
	for _, try := range []func(*phones.Phone){
		func(p *phones.Phone) { p.Username = text }, func(p *phones.Phone) { p.Password = text }, func(p *phones.Phone) { p.Domain = text },
		func(p *phones.Phone) { p.Server.Host = text }, func(p *phones.Phone) { p.Time = text }, func(p *phones.Phone) { p.Keys[1].Value = text },
		func(p *phones.Phone) { p.Keys[3].Value = text }, func(p *phones.Phone) { p.Server.Transport = phones.Transport(text) },
	} {
		if text == "" {
			break // which leaves out what may be left out, and that has another shape
		}
		changed := p
		changed.Keys = append([]phones.Key(nil), p.Keys...)
		if try(&changed); changed.Check() == nil {
			p = changed
		}
	}
	return p
}

// FuzzNoValueLeavesItsPlace holds the files of a hostile phone against those of a harmless one: elements, attributes and settings
// are the same, in the same order, whatever the values are.
func FuzzNoValueLeavesItsPlace(f *testing.F) {
	for _, text := range []string{
		"harmless", "", " ", "a\nb = c", "a\r\nlinekey.1.type = 15", "</item><item name=\"x\">", "\" onload=\"x", "'><a/>", "-->", "--", "-", "]]>", "<!--", "<![CDATA[",
		"&lt;", "&#10;", "\x00\x01\x7f", "\u0085\u2028\u2029", "\u202e", "%NULL%", "%EMPTY%", "$MAC", "${x}", "$(x)", "`x`", "#", "#!version:2", "a = b", " = ",
		"\xff\xfe", "\ufeff", "\ufffe", "日本語", strings.Repeat("x", 5000), strings.Repeat("<", 5000), "101@x;fnc=sd", "\u00ad", "\v\f", "?>", "<?x?>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, about := range phones.Vendors() {
			p, harmless := hostile(t, about.Vendor, text), reception(t, about.Vendor)
			if strings.TrimSpace(text) == "" {
				p.Note = harmless.Note // a comment is there or not
			}
			for _, name := range phones.Names(about.Vendor, p.MAC) {
				got := render(t, p, name)
				if a, b := withoutComments(shape(t, got)), withoutComments(shape(t, render(t, harmless, name))); a != b {
					t.Errorf("%s of %s has another shape with %q:\n%s\nwant\n%s", name, about.Vendor, text, a, b)
				}
				if bytes.ContainsAny([]byte(got.Body), "\r\x00\v\f") || strings.ContainsAny(got.Body, "\u0085\u2028\u2029") {
					t.Errorf("%s of %s has a line end or NUL of the value's", name, about.Vendor)
				}
			}
		}
	})
}

// withoutComments takes out what stands there or not, as the note is empty or not.
func withoutComments(shape string) string { return strings.ReplaceAll(shape, "#\n", "") }

// A name of Yealink's language for "nothing" is a name.
func TestAYealinkPhoneMayBeCalledNull(t *testing.T) {
	p := reception(t, phones.Yealink)
	p.Name = "%NULL%"
	if body := render(t, p, "001565aabbcc.cfg").Body; !strings.Contains(body, "display_name = NULL\n") {
		t.Error(body)
	}
}

func TestKeysAreRefusedInWords(t *testing.T) {
	for want, k := range map[string]phones.Key{
		"":                  {Type: phones.KeyLamp, Value: "*301", Label: "Parkplatz Süd"},
		"watches":           {Type: phones.KeyLamp},
		"dials":             {Type: phones.KeySpeedDial, Value: "12 34"},
		"types":             {Type: "x"},
		"which a key":       {Type: phones.KeyLine, Value: "1"},
		"cannot be shown":   {Type: phones.KeyLine, Label: "a\nb"},
		"longer than 40 ch": {Type: phones.KeyNone, Label: strings.Repeat("x", 41)},
	} {
		if got := phones.CheckKey(k); got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("%+v: %q, want %q", k, got, want)
		}
	}
}

func TestTextBecomesOneLine(t *testing.T) {
	p := reception(t, phones.Yealink)
	for written, want := range map[string]string{" Ana\r\n  Berg\t": "Ana Berg", "a\u2028b": "a b", "US$ {x}": "US x", "\u202eolleh": "olleh", "": p.Username, "\x00\n": p.Username,
		strings.Repeat("ä", 99): strings.Repeat("ä", phones.MaxName), strings.Repeat("a", phones.MaxName) + " b": strings.Repeat("a", phones.MaxName)} {
		p.Name = written
		if body := render(t, p, "001565aabbcc.cfg").Body; !strings.Contains(body, "\naccount.1.display_name = "+want+"\n") {
			t.Errorf("%q becomes something else than %q in\n%s", written, want, body)
		}
	}
}
