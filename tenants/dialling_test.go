package tenants

import "testing"

func TestWhatIsDialledBecomesE164(t *testing.T) {
	for _, c := range []struct {
		rules   Dialling
		dialled string
		want    string // empty: it is no outside number
	}{
		{Dialling{}, "+493012345678", "+493012345678"},
		{Dialling{}, "00493012345678", "+493012345678"},
		{Dialling{}, "03012345678", ""},
		{Dialling{}, "101", ""},
		{Dialling{}, "+1", ""},
		{Dialling{}, "+1234567890123456", ""},
		{Dialling{}, "+0123456789", ""},
		{Dialling{}, "anna", ""},
		{Dialling{}, "", ""},
		{Dialling{}, "+", ""},
		{Dialling{Country: "DE"}, "03012345678", "+493012345678"},
		{Dialling{Country: "DE"}, "0043151234567", "+43151234567"},
		{Dialling{Country: "DE"}, "12345678", ""},
		{Dialling{Country: "DE"}, "00", ""},
		{Dialling{Country: "DE"}, "001234", ""},
		{Dialling{Country: "DE", AreaCode: "30"}, "12345678", "+493012345678"},
		{Dialling{Country: "DE", AreaCode: "30"}, "03012345678", "+493012345678"},
		{Dialling{Country: "DE", InternationalPrefix: "000", NationalPrefix: "00"}, "003012345678", "+493012345678"},
		{Dialling{Country: "US"}, "12025550100", "+12025550100"},
		{Dialling{Country: "US"}, "2025550100", "+12025550100"},
		{Dialling{Country: "US"}, "5550100", ""},
		{Dialling{Country: "US"}, "1555", ""},
		{Dialling{Country: "US", AreaCode: "202"}, "5550100", "+12025550100"},
		{Dialling{Country: "US"}, "011493012345678", "+493012345678"},
		{Dialling{Country: "CA"}, "6135550100", "+16135550100"},
		{Dialling{Country: "GB"}, "02079460000", "+442079460000"},
		{Dialling{Country: "GB"}, "0012025550100", "+12025550100"},
		{Dialling{Country: "FR"}, "0199000000", "+33199000000"},
		{Dialling{Country: "IT"}, "0612345678", "+390612345678"}, // the 0 belongs to the number
		{Dialling{Country: "IT"}, "3331234567", "+393331234567"},
		{Dialling{Country: "ES"}, "912345678", "+34912345678"},
		{Dialling{Country: "DK"}, "32123456", "+4532123456"},
		{Dialling{Country: "DK"}, "200", ""},
		{Dialling{Country: "HU"}, "0612345678", "+3612345678"},
		{Dialling{Country: "RU"}, "84951234567", "+74951234567"},
		{Dialling{Country: "RU"}, "810493012345678", "+493012345678"},
		{Dialling{Country: "AU"}, "0291234567", "+61291234567"},
		{Dialling{Country: "AU"}, "0011493012345678", "+493012345678"},
		{Dialling{Country: "JP"}, "0312345678", "+81312345678"},
		{Dialling{Country: "JP"}, "010493012345678", "+493012345678"},
		{Dialling{Country: "HK"}, "21234567", "+85221234567"},
		{Dialling{Country: "HK"}, "001493012345678", "+493012345678"},
		{Dialling{Country: "NG"}, "0091202555010", "+1202555010"},
		{Dialling{Country: "KE"}, "0201234567", "+254201234567"},
		{Dialling{Country: "ZA"}, "0111234567", "+27111234567"},
		{Dialling{Country: "MX"}, "5512345678", "+525512345678"},
		{Dialling{Country: "IN"}, "01112345678", "+911112345678"},
		{Dialling{Country: "XX"}, "0012025550100", "+12025550100"},
	} {
		got, ok := c.rules.E164(c.dialled)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%+v: %q is %q (%v), want %q", c.rules, c.dialled, got, ok, c.want)
		}
	}
}

func TestANumberIsWrittenAndReadAsTheTrunkWantsIt(t *testing.T) {
	for _, c := range []struct {
		format  NumberFormat
		number  string
		written string
	}{
		{NumberFormat{}, "+493012345678", "+493012345678"},
		{NumberFormat{Form: FormDigits}, "+493012345678", "493012345678"},
		{NumberFormat{Form: FormDigits, Add: "9981"}, "+493012345678", "9981493012345678"},
		{NumberFormat{Form: FormDigits, Strip: "49"}, "+493012345678", "3012345678"},
		{NumberFormat{Form: FormNational, Country: "DE"}, "+493012345678", "03012345678"},
		{NumberFormat{Form: FormNational, Country: "DE"}, "+12025550100", "0012025550100"},
		{NumberFormat{Form: FormNational, Country: "US"}, "+12025550100", "12025550100"},
		{NumberFormat{Form: FormNational, Country: "US"}, "+493012345678", "011493012345678"},
		{NumberFormat{Form: FormNational, Country: "DE", Add: "0"}, "+493012345678", "003012345678"},
		{NumberFormat{Form: FormNational, Country: "IT"}, "+390612345678", "0612345678"},
		{NumberFormat{Form: FormPlus, Add: "#31#"}, "+493012345678", "#31#+493012345678"},
	} {
		if got := c.format.Write(c.number); got != c.written {
			t.Errorf("%+v: %s is written %q, want %q", c.format, c.number, got, c.written)
		}
		if back := c.format.Read(c.written); back != c.number {
			t.Errorf("%+v: %q is read as %q, want %q", c.format, c.written, back, c.number)
		}
	}
	for _, text := range []string{"", "anonymous", "101", "+", "49x3012345678", "\x00"} {
		for _, f := range []NumberFormat{{}, {Form: FormDigits}, {Form: FormNational, Country: "DE"}, {Add: "9"}} {
			if got := f.Read(text); got != text {
				t.Errorf("%+v: %q is no number, and is read as %q", f, text, got)
			}
		}
	}
}
