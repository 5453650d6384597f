package phones

import (
	"strconv"
	"strings"
)

// iniFile writes lines "key = value". There is no quoting: a value is what stands to the end of its line, so that a line end is
// all by which it could leave its place, and line takes those away.
type iniFile struct{ b strings.Builder }

func (f *iniFile) set(key, value string) {
	f.b.WriteString(key + " = " + line(value) + "\n")
}

func (f *iniFile) number(key string, value int) { f.set(key, strconv.Itoa(value)) }

func (f *iniFile) comment(text string) {
	if text = clean(text, MaxNote); text != "" {
		f.b.WriteString("# " + text + "\n")
	}
}

// line is the last guard of a format in which a line end would begin a setting of the value's own: cleaned text passes unchanged.
func line(s string) string { return clean(s, maxLine) }

const maxLine = 512

// flag writes a truth as 1 or 0.
func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
