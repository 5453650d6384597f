package tenants

import "strings"

// Dialling says how a tenant's people write numbers. The zero value knows international numbers alone, with "+" or "00".
type Dialling struct {
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2, see KnownCountry
	// The two prefixes replace the country's usual ones where they are set.
	InternationalPrefix string `json:"international_prefix,omitempty"` // "00", "011"
	NationalPrefix      string `json:"national_prefix,omitempty"`      // "0", "1"
	AreaCode            string `json:"area_code,omitempty"`            // put before what begins with neither prefix; empty: such is no number
}

// NumberFormat says how a trunk writes numbers. The zero value is E.164 with "+".
type NumberFormat struct {
	Form    string `json:"form,omitempty"`    // FormPlus when empty
	Country string `json:"country,omitempty"` // of FormNational
	Strip   string `json:"strip,omitempty"`   // taken off the front of what is in the form, as the trunk wants it
	Add     string `json:"add,omitempty"`     // put before the rest, such as a technical prefix
}

// Values of NumberFormat.Form.
const (
	FormPlus     = "e164"     // +493012345
	FormDigits   = "digits"   // 493012345
	FormNational = "national" // 03012345 within the country, 0043... out of it
)

// plan is how a country's people dial (ITU-T E.164).
type plan struct {
	code          string // E.164 country code
	international string
	national      string // "" where numbers are dialled in full, without a prefix
	bare          int    // national numbers of this many digits are dialled without the prefix too; 0: none
}

// planOf knows the dialling plans of countries whose prefixes are one for all carriers, after the ITU's list of dialling
// procedures. Where a country has changed its own, a tenant's settings say so.
func planOf(country string) (plan, bool) {
	switch country {
	case "US", "CA":
		return plan{"1", "011", "1", 10}, true
	case "GB":
		return plan{"44", "00", "0", 0}, true
	case "IE":
		return plan{"353", "00", "0", 0}, true
	case "FR":
		return plan{"33", "00", "0", 0}, true
	case "DE":
		return plan{"49", "00", "0", 0}, true
	case "AT":
		return plan{"43", "00", "0", 0}, true
	case "CH":
		return plan{"41", "00", "0", 0}, true
	case "LI":
		return plan{"423", "00", "", 0}, true
	case "NL":
		return plan{"31", "00", "0", 0}, true
	case "BE":
		return plan{"32", "00", "0", 0}, true
	case "LU":
		return plan{"352", "00", "", 0}, true
	case "IT":
		return plan{"39", "00", "", 0}, true
	case "ES":
		return plan{"34", "00", "", 0}, true
	case "PT":
		return plan{"351", "00", "", 0}, true
	case "DK":
		return plan{"45", "00", "", 0}, true
	case "NO":
		return plan{"47", "00", "", 0}, true
	case "SE":
		return plan{"46", "00", "0", 0}, true
	case "FI":
		return plan{"358", "00", "0", 0}, true
	case "IS":
		return plan{"354", "00", "", 0}, true
	case "EE":
		return plan{"372", "00", "", 0}, true
	case "LV":
		return plan{"371", "00", "", 0}, true
	case "PL":
		return plan{"48", "00", "", 0}, true
	case "CZ":
		return plan{"420", "00", "", 0}, true
	case "SK":
		return plan{"421", "00", "0", 0}, true
	case "HU":
		return plan{"36", "00", "06", 0}, true
	case "RO":
		return plan{"40", "00", "0", 0}, true
	case "BG":
		return plan{"359", "00", "0", 0}, true
	case "GR":
		return plan{"30", "00", "", 0}, true
	case "CY":
		return plan{"357", "00", "", 0}, true
	case "MT":
		return plan{"356", "00", "", 0}, true
	case "SI":
		return plan{"386", "00", "0", 0}, true
	case "HR":
		return plan{"385", "00", "0", 0}, true
	case "RS":
		return plan{"381", "00", "0", 0}, true
	case "UA":
		return plan{"380", "00", "0", 0}, true
	case "TR":
		return plan{"90", "00", "0", 0}, true
	case "RU", "KZ":
		return plan{"7", "810", "8", 0}, true
	case "AU":
		return plan{"61", "0011", "0", 0}, true
	case "NZ":
		return plan{"64", "00", "0", 0}, true
	case "JP":
		return plan{"81", "010", "0", 0}, true
	case "CN":
		return plan{"86", "00", "0", 0}, true
	case "HK":
		return plan{"852", "001", "", 0}, true
	case "IN":
		return plan{"91", "00", "0", 0}, true
	case "MY":
		return plan{"60", "00", "0", 0}, true
	case "TH":
		return plan{"66", "001", "0", 0}, true
	case "VN":
		return plan{"84", "00", "0", 0}, true
	case "PH":
		return plan{"63", "00", "0", 0}, true
	case "SA":
		return plan{"966", "00", "0", 0}, true
	case "AE":
		return plan{"971", "00", "0", 0}, true
	case "EG":
		return plan{"20", "00", "0", 0}, true
	case "NG":
		return plan{"234", "009", "0", 0}, true
	case "KE":
		return plan{"254", "000", "0", 0}, true
	case "ZA":
		return plan{"27", "00", "0", 0}, true
	case "MX":
		return plan{"52", "00", "", 0}, true
	case "AR":
		return plan{"54", "00", "0", 0}, true
	}
	return plan{}, false
}

// KnownCountry says whether a country's dialling plan is known.
func KnownCountry(country string) bool { _, ok := planOf(country); return ok }

// CountryCode is the E.164 code of a country whose dialling plan is known, without "+", and empty for any other. Countries may
// share one.
func CountryCode(country string) string { p, _ := planOf(country); return p.code }

// Bounds of an E.164 number in digits. The longest is E.164's own; the shortest is that of the numbers in the schema.
const (
	minDigits = 7
	maxDigits = 15
)

// E164 brings what was dialled, digits with perhaps a "+" before them, into E.164 with "+", or says that it is none.
func (d Dialling) E164(dialled string) (number string, ok bool) {
	if rest, plus := strings.CutPrefix(dialled, "+"); plus {
		return e164(rest)
	}
	if !digits(dialled) {
		return "", false
	}
	p, known := planOf(d.Country)
	if d.InternationalPrefix != "" {
		p.international = d.InternationalPrefix
	} else if !known {
		p.international = "00"
	}
	if d.NationalPrefix != "" {
		p.national = d.NationalPrefix
	}
	// The international prefix first: of 00 and 0 the longer is meant.
	if rest, found := strings.CutPrefix(dialled, p.international); found && len(rest) >= minDigits && rest[0] != '0' {
		return e164(rest)
	}
	if !known {
		return "", false
	}
	if p.national != "" {
		if rest, found := strings.CutPrefix(dialled, p.national); found {
			if p.bare > 0 && len(rest) != p.bare || p.national == "0" && strings.HasPrefix(rest, "0") {
				return "", false // too short for what it looks like
			}
			return e164(p.code + rest)
		}
	}
	switch {
	case p.bare > 0 && len(dialled) == p.bare:
		return e164(p.code + dialled)
	case d.AreaCode != "":
		return e164(p.code + d.AreaCode + dialled)
	case p.national == "":
		return e164(p.code + dialled)
	}
	return "", false
}

// e164 puts "+" before digits that are an E.164 number.
func e164(text string) (string, bool) {
	if len(text) < minDigits || len(text) > maxDigits || text[0] == '0' || !digits(text) {
		return "", false
	}
	return "+" + text, true
}

// Write gives an E.164 number as the trunk wants it.
func (f NumberFormat) Write(number string) string {
	text := number
	switch f.Form {
	case FormDigits:
		text = strings.TrimPrefix(number, "+")
	case FormNational:
		if p, known := planOf(f.Country); known {
			if rest, home := strings.CutPrefix(number, "+"+p.code); home {
				text = p.national + rest
			} else if rest, foreign := strings.CutPrefix(number, "+"); foreign {
				text = p.international + rest
			}
		}
	}
	return f.Add + strings.TrimPrefix(text, f.Strip)
}

// Read gives in E.164 what the trunk wrote, or the text as it is where that is no number of the form: a user's name, or a
// number that is withheld. Country codes of one digit or two are shared (+1, +7): which country is meant the number says.
func (f NumberFormat) Read(text string) string {
	inner, had := strings.CutPrefix(text, f.Add)
	if !had {
		inner = text
	}
	if f.Form == FormNational {
		d := Dialling{Country: f.Country}
		if number, ok := d.E164(f.Strip + inner); ok {
			return number
		}
		return text
	}
	inner = strings.TrimPrefix(f.Strip+inner, "+")
	inner = strings.TrimPrefix(inner, "00")
	if number, ok := e164(inner); ok {
		return number
	}
	return text
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
