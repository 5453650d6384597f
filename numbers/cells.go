package numbers

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tandem/tenants"
)

// The forms of cells. The schema has the same.
var (
	idForm      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	// mangledForm is what a spreadsheet makes of a long number: 4.93012E+11, 4,93E+11.
	mangledForm = regexp.MustCompile(`^[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+$`)
)

// row reads one row, and says whether it is as it should be.
func (r *reader) row(line int, cells []string) (row Row, ok bool) {
	before := r.sheet.Faults.Count
	row.Line = line
	if len(cells) > len(r.columns) {
		r.fault(line, "", CellCount, fmt.Sprintf("The row has %d cells, and there are %d columns.", len(cells), len(r.columns)))
		return row, false
	}
	written := ""
	for i, cell := range cells {
		column := r.columns[i]
		if column == "" {
			continue
		}
		cell, readable := r.cell(line, column, cell)
		if !readable {
			continue
		}
		switch column {
		case ColumnNumber:
			written = cell
		case ColumnCountry:
			row.Country = strings.ToUpper(cell)
		case ColumnKind:
			row.Kind = strings.ToLower(cell)
		case ColumnTrunk:
			row.Trunk = cell
		case ColumnTenant:
			row.Tenant = cell
		case ColumnNote:
			row.Note = cell
		}
	}
	if r.sheet.Faults.Count == before { // a cell that cannot be read is no cell that is missing
		r.described(&row)
		r.numbered(&row, written)
	}
	return row, r.sheet.Faults.Count == before
}

// cell checks what holds for every cell.
func (r *reader) cell(line int, column, cell string) (string, bool) {
	cell = strings.TrimSpace(cell)
	switch {
	case len(cell) > MaxCell:
		r.fault(line, column, CellTooLong, fmt.Sprintf("The cell is longer than %d bytes.", MaxCell))
	case strings.ContainsRune(cell, utf8.RuneError) || strings.ContainsFunc(cell, func(c rune) bool { return !unicode.IsPrint(c) && c != '\u00A0' }):
		r.fault(line, column, CellUnprintable, "The cell has a character that cannot be shown.")
	case cell != "" && strings.ContainsRune("=@+-", rune(cell[0])) && (column != ColumnNumber || cell[0] != '+'):
		// Whoever exports what was imported and opens it in a spreadsheet would run it.
		r.fault(line, column, CellFormula, fmt.Sprintf("The cell begins with %q, which a spreadsheet takes for a formula: take it off.", cell[0]))
	default:
		return cell, true
	}
	return "", false
}

// described checks what is said of a number.
func (r *reader) described(row *Row) {
	if row.Country != "" && !countryForm.MatchString(row.Country) {
		r.fault(row.Line, ColumnCountry, CountryUnknown, "The country is not written with two letters, such as DE or US.")
		row.Country = ""
	}
	if row.Kind != "" && !slices.Contains(Kinds(), row.Kind) {
		r.fault(row.Line, ColumnKind, KindUnknown, "The kind is none of "+strings.Join(Kinds(), ", ")+".")
	}
	if row.Trunk != "" && !idForm.MatchString(row.Trunk) {
		r.fault(row.Line, ColumnTrunk, TrunkUnknown, "There is no such trunk.")
	}
	if row.Tenant != "" && !idForm.MatchString(row.Tenant) {
		r.fault(row.Line, ColumnTenant, TenantUnknown, "There is no such customer.")
	}
}

// numbered reads the number of a row.
func (r *reader) numbered(row *Row, written string) {
	d := r.dialling
	if row.Country != "" && row.Country != d.Country {
		d = tenants.Dialling{Country: row.Country}
	}
	number, national, code := ReadNumber(written, d)
	if code != "" {
		r.fault(row.Line, ColumnNumber, code, numberWords(code, d.Country))
		return
	}
	if national {
		row.Country = d.Country
	}
	if digits := tenants.CountryCode(row.Country); digits != "" && !strings.HasPrefix(number, "+"+digits) {
		r.fault(row.Line, ColumnCountry, CountryDiffers, fmt.Sprintf("The number does not begin with +%s, as those of %s do.", digits, row.Country))
		return
	}
	if first, twice := r.seen[number]; twice {
		r.fault(row.Line, ColumnNumber, NumberTwice, fmt.Sprintf("Line %d has the same number.", first))
		return
	}
	r.seen[number] = row.Line
	row.Number = number
}

// ReadNumber reads a number as people write it, with spaces, dots, hyphens and brackets: international with "+" or the prefix, or national
// as in the country of d, which national says. code says what is wrong with it; empty: nothing.
func ReadNumber(written string, d tenants.Dialling) (number string, national bool, code string) {
	text := strings.TrimSpace(written)
	switch {
	case text == "":
		return "", false, NumberMissing
	case mangledForm.MatchString(text):
		return "", false, NumberMangled
	}
	if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "00") {
		text = strings.Replace(text, "(0)", "", 1) // +49 (0)30 ...: the national prefix, for those who call from within
	}
	text = strings.Map(func(c rune) rune {
		if strings.ContainsRune(" \u00A0-./()", c) {
			return -1
		}
		return c
	}, text)
	number, ok := d.E164(text)
	if !ok {
		return "", false, NumberInvalid
	}
	national = !strings.HasPrefix(text, "+") && !strings.HasSuffix(text, number[1:])
	// With neither prefix it may as well be international, and have lost its "+".
	if own := tenants.CountryCode(d.Country); number == "+"+own+text && strings.HasPrefix(text, own) {
		return "", false, NumberAmbiguous
	}
	return number, national, ""
}

// numberWords are the words for what is wrong with a number.
func numberWords(code, country string) string {
	switch code {
	case NumberMissing:
		return "There is no number in this row."
	case NumberMangled:
		return "A spreadsheet has turned the number into a short form and lost digits: format the column as text, and put the number in again."
	case NumberAmbiguous:
		return `The number may be national, or international without its "+": write it with "+".`
	}
	if country == "" {
		return `This is no number in international form, such as +493012345678.`
	}
	return `This is no number in international form, such as +493012345678, nor as it is dialled in ` + country + "."
}
