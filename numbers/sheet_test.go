package numbers

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tandem/tenants"
)

func german() tenants.Dialling { return tenants.Dialling{Country: "DE", AreaCode: "30"} }

func inUTF16(text string, order binary.AppendByteOrder, mark bool) []byte {
	var raw []byte
	if mark {
		text = "\uFEFF" + text
	}
	for _, u := range utf16.Encode([]rune(text)) {
		raw = order.AppendUint16(raw, u)
	}
	return raw
}

func TestASheetIsReadInWhateverEncodingSpreadsheetsWrite(t *testing.T) {
	const text = "number;kind;note\n+49 30 1234567;geographic;Büro\n"
	want := []Row{{Line: 2, Number: "+49301234567", Kind: "geographic", Note: "Büro"}}
	for name, raw := range map[string][]byte{
		"UTF-8":                       []byte(text),
		"UTF-8 with a mark":           []byte("\uFEFF" + text),
		"UTF-16LE":                    inUTF16(text, binary.LittleEndian, true),
		"UTF-16BE":                    inUTF16(text, binary.BigEndian, true),
		"UTF-16LE without a mark":     inUTF16(text, binary.LittleEndian, false),
		"UTF-16BE without a mark":     inUTF16(text, binary.BigEndian, false),
		"Latin-1":                     bytes.ReplaceAll([]byte(text), []byte("ü"), []byte{0xFC}),
		"CRLF":                        []byte(strings.ReplaceAll(text, "\n", "\r\n")),
		"CR":                          []byte(strings.ReplaceAll(text, "\n", "\r")),
		"commas":                      []byte(strings.ReplaceAll(text, ";", ",")),
		"tabs":                        []byte(strings.ReplaceAll(text, ";", "\t")),
		"in quotes":                   []byte("\"number\",\"kind\",\"note\"\n\"+49 30 1234567\",\"geographic\",\"Büro\"\n"),
		"capitals, columns elsewhere": []byte("Note,KIND , Number\nBüro,Geographic,+49 30 1234567"),
		"fewer cells":                 []byte("number,kind,note,country\n+49301234567,geographic,Büro\n"),
	} {
		s := ReadSheet(raw, tenants.Dialling{})
		if diff := cmp.Diff(want, s.Rows); diff != "" || s.Faults.Count != 0 || s.Lines != 1 {
			t.Errorf("%s (%s): %d rows, %v\n%s", name, s.Encoding, s.Lines, s.Faults, diff)
		}
	}
	s := ReadSheet([]byte("sep=;\nnumber;note\n+49301234567;a,b\n"), tenants.Dialling{})
	if diff := cmp.Diff([]Row{{Line: 3, Number: "+49301234567", Note: "a,b"}}, s.Rows); diff != "" {
		t.Errorf("a sheet that says its separator:\n%s", diff)
	}
}

func TestNumbersAreReadAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct{ country, written, number, code string }{
		{"DE", "+49 (0)30 / 123-45.67", "+49301234567", ""},
		{"DE", "0049 30 1234567", "+49301234567", ""},
		{"DE", "(030) 1234567", "+49301234567", ""},
		{"DE", "(0)30 1234567", "+49301234567", ""},
		{"DE", "030\u00A01234567", "+49301234567", ""},
		{"DE", "1234567", "", NumberInvalid}, // which area?
		{"", "030 1234567", "", NumberInvalid},
		{"US", "(202) 555-0100", "+12025550100", ""},
		{"US", "1-202-555-0100", "+12025550100", ""},
		{"US", "202-555-010", "", NumberInvalid},
		{"ES", "912 34 56 78", "+34912345678", ""},
		{"ES", "34 912 34 56 78", "", NumberAmbiguous},
		{"IT", "06 6982 1234", "+390669821234", ""},
		{"DE", "4,93012E+11", "", NumberMangled},
		{"DE", "4.93E11", "", NumberMangled},
		{"DE", "+49", "", NumberInvalid},
		{"DE", "+4930123456789012", "", NumberInvalid},
		{"DE", "+49 30 12x4567", "", NumberInvalid},
		{"DE", "+٤٩٣٠١٢٣٤٥٦٧", "", NumberInvalid},
		{"DE", "++49301234567", "", NumberInvalid},
		{"DE", "", "", NumberMissing},
	} {
		number, _, code := ReadNumber(c.written, tenants.Dialling{Country: c.country})
		if number != c.number || code != c.code {
			t.Errorf("%q in %q: %q %q, not %q %q", c.written, c.country, number, code, c.number, c.code)
		}
	}
}

func TestFaultsAreToldWithTheirPlaces(t *testing.T) {
	for _, c := range []struct {
		name, sheet string
		faults      []string // line column code
		rows        int
	}{
		{"nothing", "", []string{"0  sheet_empty"}, 0},
		{"the first row alone", "number\n", []string{"0  sheet_empty"}, 0},
		{"no column of numbers", "country,note\nDE,x\n", []string{"1  column_missing"}, 0},
		{"a column that there is not", "number,nmae\n+49301234567,x\n", []string{"1  column_unknown"}, 1},
		{"a column twice", "number,note,Note\n+49301234567,a,b\n", []string{"1 note column_twice"}, 1},
		{"numbers without a first row", "+49301234567\n+49301234568\n", []string{"1  column_unknown", "1  column_missing"}, 0},
		{"more cells than columns", "number\n+49301234567,x\n", []string{"2  cell_count"}, 0},
		{"a formula", "number,note\n+49301234567,=1+1\n+49301234568,@SUM(A1)\n+49301234569,-x\n+49301234560,+x\n",
			[]string{"2 note cell_formula", "3 note cell_formula", "4 note cell_formula", "5 note cell_formula"}, 0},
		{"a formula for a number", "number\n=1+1\n\"=\"\"+49301234567\"\"\"\n-49301234567\n",
			[]string{"2 number cell_formula", "3 number cell_formula", "4 number cell_formula"}, 0},
		{"a formula that begins like a number", "number\n+cmd|' /C calc'!A0\n", []string{"2 number number_invalid"}, 0},
		{"a line feed in a cell", "number,note\n+49301234567,\"a\nb\"\n+49301234568,c\n", []string{"2 note cell_unprintable"}, 1},
		{"a zero byte", "number,note\n+49301234567,a\x00b\n", []string{"2 note cell_unprintable"}, 0},
		{"turned direction of writing", "number,note\n+49301234567,a\u202Eb\n", []string{"2 note cell_unprintable"}, 0},
		{"too long", "number,note\n+49301234567," + strings.Repeat("x", MaxCell+1), []string{"2 note cell_too_long"}, 0},
		{"quotes that do not match", "number,note\n+49301234567,a\"b\n+49301234568,c\n", []string{"2  sheet_unreadable"}, 1},
		{"a quote that never ends", "number,note\n+49301234567,\"b\n+49301234568,c\n", []string{"2  sheet_unreadable"}, 0},
		{"the same number twice", "number\n030 1234567\n+49301234567\n", []string{"3 number number_twice"}, 1},
		{"a number of another country", "number,country\n+49301234567,US\n", []string{"2 country country_differs"}, 0},
		{"no country", "number,country\n+49301234567,Germany\n", []string{"2 country country_unknown"}, 0},
		{"no kind", "number,kind\n+49301234567,landline\n", []string{"2 kind kind_unknown"}, 0},
		{"no id", "number,trunk,tenant\n+49301234567,a b,../x\n", []string{"2 trunk trunk_unknown", "2 tenant tenant_unknown"}, 0},
		{"no number", "number,note\n,x\n\n,\n", []string{"2 number number_missing"}, 0},
	} {
		s := ReadSheet([]byte(c.sheet), german())
		var got []string
		for _, f := range s.Faults.List {
			got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Column, f.Code))
			if f.Detail == "" {
				t.Errorf("%s: %s has no words", c.name, f.Code)
			}
		}
		if diff := cmp.Diff(c.faults, got); diff != "" || len(s.Rows) != c.rows {
			t.Errorf("%s: %d rows\n%s", c.name, len(s.Rows), diff)
		}
	}
}

func TestTheCountryOfARowDecidesHowItsNumberIsRead(t *testing.T) {
	s := ReadSheet([]byte("number,country\n030 1234567,\n(202) 555-0100,us\n+442079460000,\n"), german())
	want := []Row{{Line: 2, Number: "+49301234567", Country: "DE"}, {Line: 3, Number: "+12025550100", Country: "US"}, {Line: 4, Number: "+442079460000"}}
	if diff := cmp.Diff(want, s.Rows); diff != "" || s.Faults.Count != 0 {
		t.Errorf("%v\n%s", s.Faults, diff)
	}
}

func TestSheetsAreBounded(t *testing.T) {
	if s := ReadSheet(bytes.Repeat([]byte("x"), MaxSheetBytes+1), german()); s.Faults.Count != 1 || s.Faults.List[0].Code != SheetTooLarge {
		t.Errorf("too many bytes: %+v", s.Faults)
	}
	var many bytes.Buffer
	many.WriteString("number\n")
	for i := range MaxSheetRows + 10 {
		fmt.Fprintf(&many, "+4930%07d\n", i)
	}
	s := ReadSheet(many.Bytes(), german())
	if len(s.Rows) != MaxSheetRows || s.Faults.Count != 1 || s.Faults.List[0].Code != SheetTooLarge || s.Faults.List[0].Line != MaxSheetRows+2 {
		t.Errorf("too many rows: %d rows, %+v", len(s.Rows), s.Faults)
	}
	s = ReadSheet([]byte("number\n"+strings.Repeat("x\n", MaxFaults+500)), german())
	if len(s.Faults.List) != MaxFaults || s.Faults.Count != MaxFaults+500 {
		t.Errorf("%d of %d faults are listed", len(s.Faults.List), s.Faults.Count)
	}
	if wide := ReadSheet([]byte("number"+strings.Repeat(",", MaxCells)+"\n+49301234567\n"), german()); wide.Faults.Count != 1 || wide.Faults.List[0].Code != SheetUnreadable {
		t.Errorf("too many columns: %+v", wide.Faults)
	}
}

// Whatever is sent, rows are numbers and texts that can be shown, each number once, and faults have their words and bounds.
func FuzzReadSheet(f *testing.F) {
	seeds, err := filepath.Glob("testdata/sheets/*")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := ReadSheet(raw, german())
		seen := map[string]bool{}
		for _, r := range s.Rows {
			n, ok := tenants.Dialling{}.E164(r.Number)
			if !ok || n != r.Number || seen[r.Number] || r.Line < 1 {
				t.Fatalf("%+v", r)
			}
			seen[r.Number] = true
			for _, text := range []string{r.Country, r.Kind, r.Trunk, r.Tenant, r.Note} {
				if text != shownAll(text) || strings.IndexAny(text, "=+-@") == 0 || len(text) > MaxCell {
					t.Fatalf("%q", text)
				}
			}
		}
		if len(s.Rows) > s.Lines || len(s.Faults.List) > MaxFaults || s.Faults.Count < len(s.Faults.List) || len(s.Rows) == 0 && s.Faults.Count == 0 {
			t.Fatalf("%d rows of %d, %d faults of %d", len(s.Rows), s.Lines, len(s.Faults.List), s.Faults.Count)
		}
		for _, f := range s.Faults.List {
			if f.Code == "" || !utf8.ValidString(f.Detail) || len(f.Detail) > 400 || f.Line < 0 {
				t.Fatalf("%+v", f)
			}
		}
	})
}

// shownAll takes out what cannot be shown.
func shownAll(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e {
			return -1
		}
		return r
	}, text)
}
