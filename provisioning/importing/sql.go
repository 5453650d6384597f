package importing

import (
	"fmt"
	"strings"
)

// sqlRows reads the rows of a dump of PostgreSQL's or another's: COPY ... FROM stdin, and INSERT INTO ... VALUES. Everything else is passed
// over. each gets every row.
func sqlRows(name, content string, each func(table string, r row)) error {
	line, rows := 0, 0
	for content != "" {
		statement, rest, _ := strings.Cut(content, "\n")
		line++
		head := strings.TrimSpace(statement)
		upper := strings.ToUpper(head[:min(len(head), 16)])
		switch {
		case strings.HasPrefix(upper, "COPY "):
			table, columns, ok := intoTable(head[len("COPY "):])
			if !ok || !strings.Contains(strings.ToLower(head), "from stdin") {
				break
			}
			for rest != "" {
				var data string
				data, rest, _ = strings.Cut(rest, "\n")
				line++
				data = strings.TrimSuffix(data, "\r")
				if data == `\.` {
					break
				}
				if rows++; rows > maxRows {
					return fmt.Errorf("%s has more than %d rows", name, maxRows)
				}
				each(table, named(fmt.Sprintf("%s:%d", name, line), columns, copyValues(data)))
			}
		case strings.HasPrefix(upper, "INSERT INTO "):
			table, columns, ok := intoTable(head[len("INSERT INTO "):])
			at := strings.Index(strings.ToUpper(content), "VALUES")
			if !ok || at < 0 {
				if table != "" { // what its values are called is not said
					each(table, row{place: fmt.Sprintf("%s:%d", name, line)})
				}
				break
			}
			scan := &sqlScanner{text: content[at+len("VALUES"):]}
			tuples := scan.tuples()
			for _, values := range tuples {
				if rows++; rows > maxRows {
					return fmt.Errorf("%s has more than %d rows", name, maxRows)
				}
				each(table, named(fmt.Sprintf("%s:%d", name, line), columns, values))
			}
			used := content[:len(content)-len(scan.text)]
			line += strings.Count(used, "\n") - 1
			rest = scan.text
			if _, after, cut := strings.Cut(rest, "\n"); cut {
				rest = after
			} else {
				rest = ""
			}
			line++
		}
		content = rest
	}
	return nil
}

// intoTable reads "public.v_extensions (a, b) ...".
func intoTable(s string) (table string, columns []string, ok bool) {
	before, after, ok := strings.Cut(s, "(")
	if words := strings.Fields(before); len(words) > 1 && strings.EqualFold(words[1], "values") {
		return strings.ToLower(unquoted(words[0][strings.LastIndexByte(words[0], '.')+1:])), nil, false
	}
	list, _, closed := strings.Cut(after, ")")
	if !ok || !closed {
		return "", nil, false
	}
	table = unquoted(strings.TrimSpace(before))
	if i := strings.LastIndexByte(table, '.'); i >= 0 {
		table = unquoted(table[i+1:])
	}
	for column := range strings.SplitSeq(list, ",") {
		columns = append(columns, strings.ToLower(unquoted(strings.TrimSpace(column))))
	}
	return strings.ToLower(table), columns, table != ""
}

func unquoted(s string) string { return strings.Trim(s, "\"`") }

// copyValues parts a line of COPY's text form; \N is NULL.
func copyValues(line string) []string {
	values := strings.Split(line, "\t")
	unescape := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t")
	for i, v := range values {
		if v == `\N` {
			values[i] = ""
			continue
		}
		values[i] = unescape.Replace(v)
	}
	return values
}

// sqlScanner reads what follows VALUES.
type sqlScanner struct{ text string }

// tuples reads (..), (..), up to what is none.
func (s *sqlScanner) tuples() (all [][]string) {
	for {
		s.text = strings.TrimLeft(s.text, " \t\r\n,")
		if !strings.HasPrefix(s.text, "(") {
			return all
		}
		s.text = s.text[1:]
		var values []string
		for {
			value, more := s.value()
			values = append(values, value)
			if !more {
				break
			}
		}
		all = append(all, values)
	}
}

// value reads one, and says whether another follows.
func (s *sqlScanner) value() (value string, more bool) {
	s.text = strings.TrimLeft(s.text, " \t\r\n")
	rest, escapes := s.text, false
	if strings.HasPrefix(rest, "E'") || strings.HasPrefix(rest, "e'") {
		rest, escapes = rest[1:], true
	}
	if strings.HasPrefix(rest, "'") {
		var out strings.Builder
		i := 1
		for i < len(rest) {
			switch {
			case rest[i] == '\'' && i+1 < len(rest) && rest[i+1] == '\'':
				out.WriteByte('\'')
				i++
			case rest[i] == '\'':
				s.text = rest[i+1:]
				return out.String(), s.next()
			case escapes && rest[i] == '\\' && i+1 < len(rest):
				i++
				out.WriteString(strings.NewReplacer("n", "\n", "t", "\t", "r", "\r").Replace(rest[i : i+1]))
			default:
				out.WriteByte(rest[i])
			}
			i++
		}
		s.text = ""
		return out.String(), false
	}
	end := strings.IndexAny(s.text, ",)")
	if end < 0 {
		end = len(s.text)
	}
	value = strings.TrimSpace(s.text[:end])
	s.text = s.text[end:]
	if strings.EqualFold(value, "null") {
		value = ""
	}
	return value, s.next()
}

// next passes over what ends a value, a cast included, and says whether another follows.
func (s *sqlScanner) next() bool {
	end := strings.IndexAny(s.text, ",)")
	if end < 0 {
		s.text = ""
		return false
	}
	more := s.text[end] == ','
	s.text = s.text[end+1:]
	return more
}
