package callflows

// Setting describes one setting of an element, for whoever speaks of settings: its name, and what its schema says of it.
type Setting struct {
	Name        string
	Description string    // a sentence or two
	Unit        string    // of a number: "seconds"
	Reference   Reference // what the id in it names; empty: it is no id
	Initial     any       // what holds when it is left out: string, int or bool; nil: nothing
	Members     []Setting // of a record, in the order in which a person reads them
	Items       *Setting  // of a list: what each entry is
}

// SettingsOf gives the title of a type of element and its settings as a record. ok is false for a type that is not known.
func SettingsOf(elementType string) (title string, settings Setting, ok bool) {
	e := elementOf(elementType)
	if e == nil {
		return "", Setting{}, false
	}
	return e.about().title, settingOf("", e.about().settings), true
}

func settingOf(name string, s *schema) Setting {
	all := Setting{Name: name, Description: s.description, Unit: s.unit, Reference: s.reference, Initial: s.initial}
	for i := range s.members {
		all.Members = append(all.Members, settingOf(s.members[i].name, &s.members[i].schema))
	}
	if s.items != nil {
		items := settingOf("", s.items)
		all.Items = &items
	}
	return all
}
