package importing

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The columns of sheets (docs/import.md). A sheet with username is of devices, one with extension and name of users, one with number of
// numbers.
func userColumns() []string {
	return []string{"extension", "name", "number", "voicemail", "forward_all", "forward_busy", "forward_no_answer", "no_answer_seconds", "do_not_disturb"}
}

func deviceColumns() []string { return []string{"username", "name", "extension"} }

func numberColumns() []string { return []string{"number", "extension"} }

// sheets are tables of our own form.
type sheets struct {
	*builder
	staff, devices, numbers []row
}

// CSV reads sheets of users, devices and numbers.
func CSV(files []File, o Options) (Result, error) {
	s := &sheets{builder: newBuilder(o)}
	for _, file := range files {
		content, err := text(file.Text)
		if err != nil {
			return Result{}, fmt.Errorf("%s %w", file.Name, err)
		}
		if kind := extension(file.Name); kind != ".csv" && kind != ".txt" && kind != ".tsv" {
			s.report.left(file.Name, "file", path.Base(file.Name), "it is no CSV")
			continue
		}
		if err := s.read(file.Name, content); err != nil {
			return Result{}, err
		}
	}
	s.people()
	s.phones()
	for _, r := range s.numbers {
		s.number(r)
	}
	return s.result(), nil
}

func (s *sheets) read(name, content string) error {
	header, rows, err := table(name, content)
	if err != nil {
		return err
	}
	known := numberColumns()
	switch {
	case slices.Contains(header, "username"):
		known, s.devices = deviceColumns(), append(s.devices, rows...)
	case slices.Contains(header, "extension") && slices.Contains(header, "name"):
		known, s.staff = userColumns(), append(s.staff, rows...)
	case slices.Contains(header, "number"):
		s.numbers = append(s.numbers, rows...)
	default:
		s.report.left(name, "file", path.Base(name), "it is no sheet of users (extension, name), devices (username) or numbers (number)")
		return nil
	}
	for i, column := range header {
		switch {
		case !slices.Contains(known, column):
			s.report.left(name+":1", "column", column, "it is not known")
		case slices.Contains(header[:i], column):
			return fmt.Errorf("%s has the column %s twice", name, column)
		}
	}
	return nil
}

func (s *sheets) people() {
	for _, r := range s.staff {
		user, ok := s.user(r.place, r.get("extension"), r.get("name"))
		if !ok {
			continue
		}
		s.shows(r.place, user, r.get("number"))
		set := s.settings(user)
		set.DoNotDisturb = r.truth("do_not_disturb", false)
		set.ForwardAll = s.forward(r.place, user, "forward_all", r.get("forward_all"), true, false)
		set.ForwardBusy = s.forward(r.place, user, "forward_busy", r.get("forward_busy"), true, false)
		set.ForwardNoAnswer = s.forward(r.place, user, "forward_no_answer", r.get("forward_no_answer"), true, false)
		if text := r.get("no_answer_seconds"); text != "" {
			seconds, err := strconv.Atoi(text)
			if err != nil || seconds < 0 || seconds > 600 {
				s.report.partly(r.place, "no_answer_seconds", text, "it is not within 0 to 600")
			} else {
				set.NoAnswerSeconds = seconds
			}
		}
		if r.truth("voicemail", false) {
			s.voicemail(user, r.get("extension"), set.NoAnswerSeconds)
		}
	}
}

func (s *sheets) phones() {
	for _, r := range s.devices {
		owner := ""
		if ext := r.get("extension"); ext != "" {
			if owner = s.users[ext]; owner == "" {
				s.report.partly(r.place, "device", r.get("username"), "it is nobody's: there is no user with the extension "+ext)
			}
		}
		s.device(r.place, r.get("username"), r.get("name"), owner)
	}
}

func (s *sheets) number(r row) {
	lead, ext := "", r.get("extension")
	if ext != "" {
		if lead = s.leads[ext]; lead == "" {
			s.report.partly(r.place, "number", r.get("number"), "it leads nowhere: there is no user with the extension "+ext)
		}
	}
	s.assign(r.place, strings.TrimPrefix(r.get("number"), "'"), lead)
}
