package phones

import (
	"slices"
	"strings"
)

// Vendor is a maker of phones whose files we write.
type Vendor string

const (
	Yealink     Vendor = "yealink"
	Poly        Vendor = "poly"
	Grandstream Vendor = "grandstream"
	Snom        Vendor = "snom"
	Fanvil      Vendor = "fanvil"
	Cisco       Vendor = "cisco"
)

// About is what is known of a vendor's phones.
type About struct {
	Vendor   Vendor
	Name     string
	Models   []string // that the templates are meant for
	Event    string   // of the NOTIFY by which the phone fetches its files again
	Path     string   // what stands after the secret in the URL that the phone is given; %s is its MAC address. Empty: the phone adds the names
	Firmware string   // what is to be known of it
}

// file is one file of a vendor.
type file struct {
	name   string // with %m for the MAC address and %M for it in capitals
	kind   string // content type
	secret bool   // it holds the password
	write  func(*Phone) string
}

const (
	plainText = "text/plain; charset=utf-8"
	textXML   = "text/xml; charset=utf-8"
)

// File is one file of a phone.
type File struct {
	Name        string
	ContentType string
	Secret      bool // it holds the password
	Body        string
}

// Vendors are all, by name.
func Vendors() []About {
	return []About{
		{Cisco, "Cisco", []string{"6821", "6841", "6851", "6861", "6871", "7811", "7821", "7832", "7841", "7861", "8811", "8832", "8841", "8845", "8851", "8861", "8865"},
			"resync", "%m.xml", "Multiplatform firmware (3PCC) alone; phones with enterprise firmware speak to Cisco's own call manager."},
		{Fanvil, "Fanvil", []string{"V62", "V64", "V65", "V67", "X3S", "X3SP", "X3U", "X4", "X4U", "X5U", "X6U", "X7", "X7C", "X210"},
			"check-sync", "", "The firmware must read XML configuration (sysConf), as those since 2.0 do."},
		{Grandstream, "Grandstream", []string{"GRP2612", "GRP2613", "GRP2614", "GRP2615", "GRP2616", "GXP2130", "GXP2135", "GXP2140", "GXP2160", "GXP2170"},
			"check-sync", "", "The firmware must read parameters by name (configuration version 2)."},
		{Poly, "Poly", []string{"Edge E220", "Edge E350", "Edge E450", "Edge E550", "VVX 150", "VVX 250", "VVX 350", "VVX 450", "VVX 501", "VVX 601"},
			"check-sync", "", "UC Software 5.9 or later, or PVOS 8."},
		{Snom, "Snom", []string{"D315", "D345", "D385", "D712", "D717", "D725", "D735", "D765", "D785", "D812", "D815", "D862", "D865"},
			"check-sync;reboot=false", "%m.xml", "8.9 or later, or 10."},
		{Yealink, "Yealink", []string{"T31G", "T31P", "T33G", "T40G", "T41S", "T42S", "T42U", "T43U", "T44W", "T46S", "T46U", "T48S", "T48U", "T53", "T53W", "T54W", "T57W", "T58W"},
			"check-sync;reboot=false", "", "V84 or later."},
	}
}

// Lookup gives what is known of a vendor.
func Lookup(v Vendor) (About, bool) {
	all := Vendors()
	i := slices.IndexFunc(all, func(a About) bool { return a.Vendor == v })
	if i < 0 {
		return About{}, false
	}
	return all[i], true
}

func known(v Vendor) bool { _, ok := Lookup(v); return ok }

// files are the files of a vendor, the one that its phones ask for first at the front.
func files(v Vendor) []file {
	switch v {
	case Yealink:
		return []file{{"%m.cfg", plainText, true, yealink}}
	case Poly:
		return []file{
			{"%m.cfg", textXML, false, polyMaster},
			{"%m-tandem.cfg", textXML, true, poly},
			{"%m-directory.xml", textXML, false, polyDirectory},
		}
	case Grandstream:
		return []file{{"cfg%m.xml", textXML, true, grandstream}}
	case Snom:
		return []file{{"%m.xml", textXML, true, snom}}
	case Fanvil:
		return []file{{"%m.cfg", textXML, true, fanvil}}
	case Cisco:
		return []file{{"%m.xml", textXML, true, cisco}, {"%m.cfg", textXML, true, cisco}}
	}
	return nil
}

func (f file) of(m MAC) string { return strings.ReplaceAll(f.name, "%m", string(m)) }

// Names are the names of the files that a phone may ask for.
func Names(v Vendor, m MAC) (names []string) {
	for _, f := range files(v) {
		names = append(names, f.of(m))
	}
	return names
}

// Entry is what is added to the URL that a phone is given: empty where phones add the name of the file by themselves.
func Entry(v Vendor, m MAC) string {
	a, _ := Lookup(v)
	return strings.ReplaceAll(a.Path, "%m", string(m))
}

// Holds says whether a phone has a file of that name, and whether that file holds the password. Phones write their MAC address in
// capitals or not, so case is no difference.
func Holds(v Vendor, m MAC, name string) (there, secret bool) {
	f, there := find(v, m, name)
	return there, f.secret
}

func find(v Vendor, m MAC, name string) (file, bool) {
	all := files(v)
	i := slices.IndexFunc(all, func(f file) bool { return strings.EqualFold(f.of(m), name) })
	if i < 0 {
		return file{}, false
	}
	return all[i], true
}

// Render writes the file of that name. The error is ErrMalformed, or that there is no such file.
func Render(p Phone, name string) (File, error) {
	if err := p.Check(); err != nil {
		return File{}, err
	}
	f, there := find(p.Vendor, p.MAC, name)
	if !there {
		return File{}, malformed("file name")
	}
	return File{Name: f.of(p.MAC), ContentType: f.kind, Secret: f.secret, Body: f.write(&p)}, nil
}
