package phones

import "strings"

// xmlFile writes XML in which names are ours and values are escaped. Comments hold cleaned text.
type xmlFile struct {
	b     strings.Builder
	stack []string
}

// attr is one attribute.
type attr struct{ name, value string }

func newXML() *xmlFile {
	x := &xmlFile{}
	x.b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	return x
}

// escape makes a value fit for element content and for attributes in double quotes (XML 1.0 2.4), by the five names that even a
// phone's small parser knows. It is given nothing but what clean or a form has let through.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(s)
}

func (x *xmlFile) begin(name string, attrs []attr) {
	x.b.WriteString(strings.Repeat("  ", len(x.stack)) + "<" + name)
	if len(attrs) > 6 { // one a line, for who reads it
		for _, a := range attrs {
			x.b.WriteString("\n" + strings.Repeat("  ", len(x.stack)+1) + a.name + `="` + escape(a.value) + `"`)
		}
		return
	}
	for _, a := range attrs {
		x.b.WriteString(" " + a.name + `="` + escape(a.value) + `"`)
	}
}

// open begins an element that holds others.
func (x *xmlFile) open(name string, attrs ...attr) {
	x.begin(name, attrs)
	x.b.WriteString(">\n")
	x.stack = append(x.stack, name)
}

// end ends the innermost element.
func (x *xmlFile) end() {
	name := x.stack[len(x.stack)-1]
	x.stack = x.stack[:len(x.stack)-1]
	x.b.WriteString(strings.Repeat("  ", len(x.stack)) + "</" + name + ">\n")
}

// leaf is an element with text.
func (x *xmlFile) leaf(name, value string, attrs ...attr) {
	x.begin(name, attrs)
	x.b.WriteString(">" + escape(value) + "</" + name + ">\n")
}

// empty is an element with attributes alone.
func (x *xmlFile) empty(name string, attrs ...attr) {
	x.begin(name, attrs)
	x.b.WriteString("/>\n")
}

// comment is for who reads the file. Two hyphens would end it (XML 1.0 2.5).
func (x *xmlFile) comment(text string) {
	if text = clean(text, MaxNote); text != "" {
		x.b.WriteString(strings.Repeat("  ", len(x.stack)) + "<!-- " + strings.ReplaceAll(text, "-", "\u2010") + " -->\n")
	}
}

// String is the whole file; what is open still is ended.
func (x *xmlFile) String() string {
	for len(x.stack) > 0 {
		x.end()
	}
	return x.b.String()
}
