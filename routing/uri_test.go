package routing

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var goodURIs = []struct{ text, user, host string }{
	{"sip:101@red.example", "101", "red.example"},
	{"SIP:101@RED.example", "101", "red.example"},
	{"sips:101@red.example:5061;transport=tls", "101", "red.example"},
	{"sip:red.example", "", "red.example"},
	{"sip:+15550100;phone-context=red.example@192.0.2.1;user=phone", "+15550100", "192.0.2.1"},
	{"sip:anna:secret@red.example", "anna", "red.example"},
	{"sip:101@red.example?Subject=x", "101", "red.example"},
	{"sip:%2B15550100@red.example", "+15550100", "red.example"},
	{"sip:anna%20b@red.example", "anna b", "red.example"},
	{"sip:J%C3%BCrgen@red.example", "Jürgen", "red.example"},
	{"sip:101@[2001:db8::9]:5060;lr", "101", "[2001:db8::9]"},
	{"sip:*97@red.example", "*97", "red.example"},
	{"sip:1%23@red.example", "1#", "red.example"},
	{"tel:+1-555-0100", "+1-555-0100", ""},
	{"tel:555;phone-context=red.example", "555", ""},
	{"<sip:101@red.example>;tag=x", "101", "red.example"},
	{"Anna <sip:101@red.example>", "101", "red.example"},
	{`"Anna <sip:evil@blue.example>" <sip:101@red.example>`, "101", "red.example"},
	{`"Anna \" <sip:evil@blue.example>" <sip:101@red.example>`, "101", "red.example"},
	{`"" <sip:101@red.example>`, "101", "red.example"},
	{`<sip:101@red.example>;x="<sip:evil@blue.example>"`, "101", "red.example"},
	{"  sip:101@red.example  ", "101", "red.example"},
}

var badURIs = []string{
	"", " ", "101", "101@red.example", "sip:", "sip:@", "sip:101@", "sip::@red.example:x@", "http://red.example", "mailto:a@b", "javascript:alert(1)",
	"urn:service:sos", "<sip:101@red.example", `"Anna <sip:101@red.example>`, `"Anna`, `"Anna\`, "<>", "< >", ">sip:a@b<",
	"sip:101@a@b", "sip:101@red.example:5060@blue.example", "sip:101@red.example:", "sip:101@red.example:x", "sip:101@[::1]blue.example", "sip:101@red.example>", "sip:%@red.example", "sip:%4@red.example", "sip:%GG@red.example", "sip:%00@red.example", "sip:%0d%0aX-Tandem-Call:x@red.example",
	"sip:a\r\nX: y@red.example", "sip:a\x00@red.example", "sip:a@red\r\n.example", "sip:a@red example", "sip:a@<b>", `sip:a@"b"`, `sip:a@b\c`, "sip:a@b,c",
	"sip:%ff@red.example", "sip:%C3@red.example", "sip:\xff@red.example", "sip:a@r\xc3\xa9d.example",
	"sip:a@[2001:db8::9", "sip:a@[red.example]", "sip:a@[]", "sip:a@[192.0.2.1]", "sip:a@[::1%25eth0]", "sip:a@[\r\nX: y]",
	"sip:" + strings.Repeat("1", maxUser+1) + "@red.example",
}

func TestURIsThatAreRead(t *testing.T) {
	for _, c := range goodURIs {
		if u, err := ParseURI(c.text); err != nil || u.User != c.user || u.Host != c.host {
			t.Errorf("%s is read as %q at %q (%v), want %q at %q", c.text, u.User, u.Host, err, c.user, c.host)
		}
	}
}

func TestURIsThatAreRefused(t *testing.T) {
	for _, s := range badURIs {
		if u, err := ParseURI(s); err == nil {
			t.Errorf("%q is read as %q at %q", s, u.User, u.Host)
		} else if err.Error() != "routing: not a SIP URI" {
			t.Errorf("the error for %q says %q: texts from outside are not repeated", s, err)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	for _, c := range goodURIs {
		f.Add(c.text)
	}
	for _, s := range badURIs {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			if u != (URI{}) {
				t.Errorf("%q is refused and read as %v", s, u)
			}
			return
		}
		if !utf8.ValidString(u.User) || len(u.User) > maxUser || strings.ContainsFunc(u.User, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q has the user %q", s, u.User)
		}
		if strings.ContainsFunc(u.Host, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || u.Host != strings.ToLower(u.Host) || strings.ContainsAny(u.Host, `"<>\@,`) {
			t.Errorf("%q has the host %q", s, u.Host)
		}
		for _, n := range []string{Dialled(u.User), trunkNumber(u.User)} {
			if len(n) > len(u.User)+1 || Dialled(n) != n && !strings.HasPrefix(n, "00") {
				t.Errorf("%q is dialled as %q, and that as %q", u.User, n, Dialled(n))
			}
		}
	})
}

func TestFormsOfNumbers(t *testing.T) {
	for _, c := range []struct{ user, dialled, trunk string }{
		{"101", "101", "101"},
		{"", "", ""},
		{"+15550100", "+15550100", "+15550100"},
		{"15550100", "15550100", "+15550100"},
		{"0015550100", "+15550100", "+15550100"},
		{"00155501", "00155501", "+00155501"}, // too short for an international number after 00
		{"+1 (555) 01-00", "+15550100", "+15550100"},
		{"1.555.0100", "15550100", "+15550100"},
		{"112", "112", "112"},
		{"1-1-2", "112", "112"},
		{"*97", "*97", "*97"},
		{"00", "00", "00"},
		{"00abc5550100", "00abc5550100", "00abc5550100"},
		{"anna", "anna", "anna"},
		{"1234567", "1234567", "1234567"},
		{"12345678", "12345678", "+12345678"},
		{"١٢٣٤٥٦٧٨", "١٢٣٤٥٦٧٨", "١٢٣٤٥٦٧٨"}, // digits of another script are no digits
	} {
		if got := Dialled(c.user); got != c.dialled {
			t.Errorf("a device's %q is %q, want %q", c.user, got, c.dialled)
		}
		if got := trunkNumber(c.user); got != c.trunk {
			t.Errorf("a trunk's %q is %q, want %q", c.user, got, c.trunk)
		}
	}
}

// TestShortcutsChangeNothing: what most texts need no work for comes out as by the work.
func TestShortcutsChangeNothing(t *testing.T) {
	letter := rapid.SampledFrom([]string{"1", "00", "555", "+", "a", "-", ".", "(", ")", " ", "%41", "%", "%0d", "%00", "\r", "\x7f", "é", "\xff", "\u00a0"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(letter, 0, 12).Draw(t, "letters"), "")
		want := strings.Map(func(r rune) rune {
			if strings.ContainsRune("-.() ", r) {
				return -1
			}
			return r
		}, text)
		if rest, ok := strings.CutPrefix(want, "00"); ok && len(rest) >= minE164 && digitsOnly(rest) {
			want = "+" + rest
		}
		if got := Dialled(text); got != want {
			t.Fatalf("%q is dialled as %q, want %q", text, got, want)
		}
		// A character by its number is never as it is, so that this one takes the long way.
		short, err := unescape(text)
		long, longErr := unescape("%41" + text)
		if (err == nil) != (longErr == nil) || err == nil && "A"+short != long {
			t.Fatalf("%q is %q (%v) and %q (%v)", text, short, err, long, longErr)
		}
	})
}
