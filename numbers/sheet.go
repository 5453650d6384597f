package numbers

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"tandem/tenants"
)

// Bounds of a sheet.
const (
	MaxSheetBytes = 16 << 20
	MaxSheetRows  = 100_000
	MaxCell       = 512  // bytes of one cell
	MaxCells      = 32   // of one row
	MaxFaults     = 1000 // that are listed; all are counted
)

// The columns of a sheet, as its first row names them, in any order. Only the number is needed.
const (
	ColumnNumber  = "number"
	ColumnCountry = "country"
	ColumnKind    = "kind"
	ColumnTrunk   = "trunk"
	ColumnTenant  = "tenant"
	ColumnNote    = "note"
)

// Columns lists them.
func Columns() []string {
	return []string{ColumnNumber, ColumnCountry, ColumnKind, ColumnTrunk, ColumnTenant, ColumnNote}
}

// Kinds lists what a number can be. Empty: nobody has said.
func Kinds() []string {
	return []string{"geographic", "mobile", "national", "toll_free", "shared_cost", "premium", "non_geographic"}
}

// Row is one row of a sheet that is as it should be.
type Row struct {
	Line    int
	Number  string // E.164 with "+"
	Country string // ISO 3166-1 alpha-2, or empty
	Kind    string // one of Kinds, or empty
	Trunk   string // by which its calls come, or empty
	Tenant  string // who gets it at once, or empty
	Note    string
}

// Fault is one thing that is wrong with a sheet.
type Fault struct {
	Line   int    `json:"line"`             // from 1; 0: the sheet as a whole
	Column string `json:"column,omitempty"` // as in Columns
	Code   string `json:"code"`
	Detail string `json:"detail"` // a sentence that helps
}

// The codes of a sheet's faults.
const (
	SheetTooLarge    = "sheet_too_large"    // more bytes or rows than the bounds
	SheetEmpty       = "sheet_empty"        // no row but the first
	SheetUnreadable  = "sheet_unreadable"   // no CSV: quotes that do not match, too many cells
	ColumnUnknown    = "column_unknown"     // the first row names a column that there is not
	ColumnTwice      = "column_twice"       //
	ColumnMissing    = "column_missing"     // there is no column of numbers
	CellCount        = "cell_count"         // more cells than columns
	CellTooLong      = "cell_too_long"      //
	CellUnprintable  = "cell_unprintable"   // a character that cannot be shown, or is none
	CellFormula      = "cell_formula"       // a spreadsheet would take it for a formula
	NumberMissing    = "number_missing"     //
	NumberMangled    = "number_mangled"     // a spreadsheet has made 4.93E+11 of it
	NumberInvalid    = "number_invalid"     // no telephone number
	NumberAmbiguous  = "number_ambiguous"   // national or international, who knows
	NumberTwice      = "number_twice"       // an earlier row has it
	CountryUnknown   = "country_unknown"    //
	CountryDiffers   = "country_differs"    // the number is not of this country
	KindUnknown      = "kind_unknown"       //
	TrunkUnknown     = "trunk_unknown"      // none that the asker may name
	TenantUnknown    = "tenant_unknown"     // none that is the asker's to give numbers to
	NumberKnown      = "number_known"       // it is in the asker's stock already
	NumberNotToBeHad = "number_unavailable" // it is somebody's, whose is not said
)

// Faults are the first MaxFaults of all that is wrong, in the order of lines, and how many there are.
type Faults struct {
	List  []Fault
	Count int
}

// Add adds one.
func (f *Faults) Add(line int, column, code, detail string) {
	f.Count++
	if len(f.List) < MaxFaults {
		f.List = append(f.List, Fault{Line: line, Column: column, Code: code, Detail: detail})
	}
}

// Sheet is what a sheet of numbers says.
type Sheet struct {
	Encoding Encoding
	Rows     []Row // those without fault
	Lines    int   // how many rows there are, with and without fault
	Faults   Faults
}

// ReadSheet reads a sheet of numbers: CSV (RFC 4180) separated by commas, semicolons or tabs, whose first row names the columns. d says how
// numbers are written that are not international. Whatever the bytes are, it gives what it can read and what is wrong.
func ReadSheet(raw []byte, d tenants.Dialling) Sheet {
	s := Sheet{Encoding: UTF8}
	if len(raw) > MaxSheetBytes {
		s.Faults.Add(0, "", SheetTooLarge, fmt.Sprintf("The sheet has more than %d bytes: send it in parts.", MaxSheetBytes))
		return s
	}
	text, encoding := decode(raw)
	s.Encoding = encoding
	separator, text, skipped := separatorOf(text)
	r := newReader(text, separator, skipped, &s, d, Columns())
	if r.head() {
		r.rows(func(line int, cells []string) {
			if row, ok := r.row(line, cells); ok {
				s.Rows = append(s.Rows, row)
			}
		})
	}
	return s
}

func newReader(text []byte, separator rune, skipped int, s *Sheet, d tenants.Dialling, known []string) *reader {
	r := &reader{Reader: csv.NewReader(bytes.NewReader(text)), skipped: skipped, sheet: s, known: known, seen: map[string]int{}, dialling: d}
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = separator, -1, true
	r.dialling.AreaCode = "" // in a list of numbers, one without its area is a mistake
	return r
}

// separatorOf looks at the first line, which has names of columns alone, and takes off the line by which a spreadsheet says its own.
func separatorOf(text []byte) (separator rune, rest []byte, skipped int) {
	first, after, _ := bytes.Cut(text, []byte("\n"))
	if said, found := bytes.CutPrefix(first, []byte("sep=")); found && len(said) == 1 && strings.ContainsAny(string(said), ",;\t") {
		return rune(said[0]), after, 1
	}
	separator, most := ',', bytes.Count(first, []byte(","))
	for _, other := range ";\t" {
		if n := bytes.Count(first, []byte(string(other))); n > most {
			separator, most = other, n
		}
	}
	return separator, text, 0
}

// reader reads one sheet.
type reader struct {
	*csv.Reader
	skipped  int // lines before what is read
	sheet    *Sheet
	known    []string // columns that there can be
	columns  []string // by place
	seen     map[string]int
	dialling tenants.Dialling
}

func (r *reader) fault(line int, column, code, detail string) {
	r.sheet.Faults.Add(line, column, code, detail)
}

// next gives the next row and its line; done when there is none.
func (r *reader) next() (cells []string, line int, done bool) {
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil, 0, true
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			r.sheet.Lines++
			r.fault(wrong.StartLine+r.skipped, "", SheetUnreadable, "The quotes of this row do not match: a quote within a cell is written twice, and the cell in quotes.")
			if r.sheet.Lines > MaxSheetRows {
				return nil, 0, true
			}
			continue
		}
		if err != nil {
			r.fault(0, "", SheetUnreadable, "The sheet cannot be read as CSV.")
			return nil, 0, true
		}
		line, _ = r.FieldPos(0)
		return cells, line + r.skipped, false
	}
}

// head reads the names of the columns, and says whether rows can be read by them.
func (r *reader) head() bool {
	cells, line, done := r.next()
	if done {
		r.fault(0, "", SheetEmpty, "The sheet is empty. Its first row names the columns: "+strings.Join(r.known, ", ")+".")
		return false
	}
	if len(cells) > MaxCells {
		r.fault(line, "", SheetUnreadable, fmt.Sprintf("The first row has more than %d cells.", MaxCells))
		return false
	}
	found := map[string]bool{}
	for _, cell := range cells {
		name := strings.ToLower(strings.TrimSpace(cell))
		switch {
		case found[name]:
			r.fault(line, name, ColumnTwice, "Two columns have this name.")
		case name == "" || slices.Contains(r.known, name):
		default:
			r.fault(line, "", ColumnUnknown, fmt.Sprintf("There is no column %q. The columns are %s.", shown(cell), strings.Join(r.known, ", ")))
			name = ""
		}
		found[name] = name != ""
		r.columns = append(r.columns, name)
	}
	if !found[ColumnNumber] {
		r.fault(line, "", ColumnMissing, `There is no column "number": the first row names the columns.`)
	}
	return found[ColumnNumber]
}

// rows gives each row that is not blank to take.
func (r *reader) rows(take func(line int, cells []string)) {
	for {
		cells, line, done := r.next()
		if done {
			break
		}
		if blank(cells) {
			continue
		}
		r.sheet.Lines++
		if r.sheet.Lines > MaxSheetRows {
			r.fault(line, "", SheetTooLarge, fmt.Sprintf("The sheet has more than %d rows: send it in parts.", MaxSheetRows))
			return
		}
		take(line, cells)
	}
	if r.sheet.Lines == 0 {
		r.fault(0, "", SheetEmpty, "The sheet has no row but the first.")
	}
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// shown is a foreign text as a fault may repeat it.
func shown(text string) string {
	const most = 40
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// Sort puts the faults that are listed in the order of their lines.
func (f *Faults) Sort() {
	slices.SortStableFunc(f.List, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
}
