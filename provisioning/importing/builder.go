package importing

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/provisioning/plan"
	"tandem/tenants"
)

// Options say what an export does not.
type Options struct {
	Country string    // whose way of writing numbers the source uses, such as DE; empty: numbers have + or nothing
	Domain  string    // which of several in an export of FusionPBX: its name or its uuid
	Today   time.Time // from which on yearly dates are written out
}

// Result is what was read.
type Result struct {
	Document plan.Document
	Report   Report
}

// yearsAhead is for how many years a yearly date is written out: schedules have dates with their years.
const yearsAhead = 3

// VoicemailCode is what is dialled, before an extension, to reach a user's voicemail box: where unanswered calls are forwarded to.
const VoicemailCode = "*99"

// userFlow begins the id of the flow that publishing implies for a user (package provisioning).
const userFlow = "user-"

// builder puts a document together. What it is given is of the source: hostile, doubled, at odds with itself.
type builder struct {
	Options
	doc    plan.Document
	report Report
	ids    map[string]map[string]bool // by section
	leads  map[string]string          // what is dialled in the source -> id of a flow
	users  map[string]string          // extension -> id of a user
	boxes  map[string]bool            // users with a voicemail flow
}

func newBuilder(o Options) *builder {
	return &builder{Options: o, doc: plan.Document{Format: plan.Format}, ids: map[string]map[string]bool{}, leads: map[string]string{}, users: map[string]string{},
		boxes: map[string]bool{}}
}

func (b *builder) result() Result { return Result{Document: b.doc.Normal(), Report: b.report} }

var (
	extensionForm = regexp.MustCompile(`^[0-9]{2,8}$`)
	dialledForm   = regexp.MustCompile(`^[0-9*#]{1,20}$`)
	forwardForm   = regexp.MustCompile(`^\+?[0-9*#]{1,32}$`)
	numberForm    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	usernameForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
)

// Lengths of what is made here, within those of package provisioning.
const (
	maxID   = 40
	maxName = 200
)

// id makes an id of a name that no other thing of the section has.
func (b *builder) id(section, name string) string {
	id := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name), "-")
	for strings.Contains(id, "--") {
		id = strings.ReplaceAll(id, "--", "-")
	}
	id = strings.Trim(id[:min(len(id), maxID)], "-")
	if id == "" {
		id = strings.TrimSuffix(section, "s")
	}
	if section == "flows" && strings.HasPrefix(id, userFlow) {
		id = "of-" + id
	}
	if b.ids[section] == nil {
		b.ids[section] = map[string]bool{}
	}
	base := id
	for n := 2; b.ids[section][id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	b.ids[section][id] = true
	return id
}

// shown makes a name of a text of the source: one line, printable, not empty.
func shown(text, otherwise string) string {
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))), " ")
	for len(text) > maxName {
		text = strings.ToValidUTF8(text[:maxName], "")
	}
	if text == "" {
		return otherwise
	}
	return text
}

// e164 brings a number into E.164, with what the options say of the country.
func (b *builder) e164(text string) (string, bool) {
	text = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "/", "").Replace(text)
	if numberForm.MatchString(text) {
		return text, true
	}
	return tenants.Dialling{Country: b.Country}.E164(text)
}

// user adds a user; false when that extension is no user's.
func (b *builder) user(place, ext, name string) (id string, ok bool) {
	switch {
	case !extensionForm.MatchString(ext):
		b.report.left(place, "user", ext, "the extension is not 2 to 8 digits")
		return "", false
	case b.users[ext] != "":
		b.report.left(place, "user", ext, "the extension is there twice; the first is carried over")
		return "", false
	}
	id = b.id("users", ext)
	b.users[ext] = id
	b.leads[ext] = userFlow + id
	b.doc.Users = append(b.doc.Users, plan.User{ID: id, Name: shown(name, ext), Extension: ext})
	b.report.carried("user")
	return id, true
}

// number gives a user the number that he shows.
func (b *builder) shows(place, user, number string) {
	if number == "" {
		return
	}
	e164, ok := b.e164(number)
	if !ok {
		b.report.partly(place, "caller id", number, "the number that the user shows cannot be brought into E.164")
		return
	}
	for i := range b.doc.Users {
		if b.doc.Users[i].ID == user {
			b.doc.Users[i].Number = e164
		}
	}
}

// settings gives what a user has set, to be filled in.
func (b *builder) settings(user string) *plan.UserSettings {
	for i := range b.doc.UserSettings {
		if b.doc.UserSettings[i].User == user {
			return &b.doc.UserSettings[i]
		}
	}
	b.doc.UserSettings = append(b.doc.UserSettings, plan.UserSettings{User: user})
	return &b.doc.UserSettings[len(b.doc.UserSettings)-1]
}

// forward reads where calls are forwarded to.
func (b *builder) forward(place, user, which, to string, on, confirm bool) (f plan.Forward) {
	to = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(to)
	if to == "" {
		return f
	}
	if !forwardForm.MatchString(to) {
		b.report.partly(place, "forwarding", user, which+" leads to what is no number: "+to)
		return f
	}
	return plan.Forward{On: on, To: to, Confirm: confirm}
}

// device adds a device that registers with a user name.
func (b *builder) device(place, username, name, user string) {
	if !usernameForm.MatchString(username) {
		b.report.left(place, "device", username, "the user name is not 1 to 64 letters, digits or _ . -")
		return
	}
	if slices.ContainsFunc(b.doc.Devices, func(d plan.Device) bool { return d.Username == username }) {
		b.report.left(place, "device", username, "the user name is there twice; the first is carried over")
		return
	}
	b.doc.Devices = append(b.doc.Devices, plan.Device{ID: b.id("devices", username), UserID: user, Name: shown(name, username), Username: username})
	b.report.carried("device")
}

// voicemail lets a user's unanswered calls be taken by his box, unless he forwards them himself.
func (b *builder) voicemail(user, ext string, seconds int) {
	set := b.settings(user)
	code := b.voicemailFlow(user, ext)
	if !set.ForwardNoAnswer.On {
		set.ForwardNoAnswer, set.NoAnswerSeconds = plan.Forward{On: true, To: code}, min(max(seconds, 0), 600)
	}
	if !set.ForwardBusy.On {
		set.ForwardBusy = plan.Forward{On: true, To: code}
	}
	if !slices.ContainsFunc(b.doc.VoicemailBoxes, func(box plan.Box) bool { return box.User == user }) {
		b.doc.VoicemailBoxes = append(b.doc.VoicemailBoxes, plan.Box{User: user})
		b.report.carried("voicemail box")
	}
}

// voicemailFlow gives what is dialled to leave a message for a user.
func (b *builder) voicemailFlow(user, ext string) string {
	code := VoicemailCode + ext
	if !b.boxes[user] {
		b.boxes[user] = true
		id := b.id("flows", "voicemail-"+user)
		b.flow(id, "Voicemail of "+ext, "box", map[string]tenants.Element{"box": element("voicemail", map[string]any{"user": user}, nil)})
		b.route(code, id)
		b.leads[code] = id
	}
	return code
}

func (b *builder) flow(id, name, start string, elements map[string]tenants.Element) {
	b.doc.Flows = append(b.doc.Flows, tenants.Flow{ID: id, Name: shown(name, id), Start: start, Elements: elements})
}

func (b *builder) route(dialled, flow string) {
	b.doc.Routes = append(b.doc.Routes, plan.Route{Dialled: dialled, FlowID: flow})
}

func element(kind string, settings map[string]any, exits map[string]string) tenants.Element {
	text, _ := json.Marshal(settings) // texts, numbers and lists of them
	if len(settings) == 0 {
		text = nil
	}
	return tenants.Element{Type: kind, Settings: text, Exits: exits}
}

// graph is a flow that is being put together.
type graph struct {
	b        *builder
	elements map[string]tenants.Element
}

func (b *builder) graph() *graph { return &graph{b: b, elements: map[string]tenants.Element{}} }

// add adds an element under a key of its own.
func (g *graph) add(key, kind string, settings map[string]any, exits map[string]string) string {
	base := key
	for n := 2; ; n++ {
		if _, taken := g.elements[key]; !taken {
			break
		}
		key = base + "-" + strconv.Itoa(n)
	}
	g.elements[key] = element(kind, settings, exits)
	return key
}

// to gives the element that goes on where something that is dialled leads; "" when it leads nowhere that is known.
func (g *graph) to(dialled string) string {
	if id, known := g.b.leads[dialled]; known {
		return g.add("to-"+dialledKey(dialled), "jump", map[string]any{"flow": id}, nil)
	}
	if ext, is := strings.CutPrefix(dialled, VoicemailCode); is && g.b.users[ext] != "" {
		g.b.voicemailFlow(g.b.users[ext], ext)
		return g.to(dialled)
	}
	if number, ok := g.b.e164(dialled); ok {
		return g.add("call-"+dialledKey(dialled), "number", map[string]any{"number": number}, nil)
	}
	return ""
}

func dialledKey(dialled string) string {
	return strings.NewReplacer("*", "star", "#", "hash", "+", "").Replace(dialled)
}

// prompt names the prompt that a recording of the source becomes.
func (b *builder) prompt(place, of, recording string) string {
	name := strings.ToLower(recording)
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	name = "imported/" + strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, name), "-")
	name = name[:min(len(name), 64)]
	if !callflows.PromptForm().MatchString(name) {
		name = "imported/unnamed"
	}
	b.report.partly(place, "recording", recording, fmt.Sprintf("%s plays the prompt %s: put its sound there", of, name))
	return name
}

// assign leads the calls of a number to a flow.
func (b *builder) assign(place, text, flow string) {
	number, ok := b.e164(text)
	if !ok {
		b.report.left(place, "number", text, "it cannot be brought into E.164: say which country's numbers these are")
		return
	}
	if slices.ContainsFunc(b.doc.Numbers, func(n plan.Number) bool { return n.Number == number }) {
		b.report.left(place, "number", text, "it is there twice; the first is carried over")
		return
	}
	b.doc.Numbers = append(b.doc.Numbers, plan.Number{Number: number, FlowID: flow})
	b.report.carried("number")
}

// schedule adds a schedule.
func (b *builder) schedule(name string, weekly []tenants.Hours, dates []tenants.Date) string {
	id := b.id("schedules", name)
	slices.SortStableFunc(dates, func(a, c tenants.Date) int { return strings.Compare(a.Date, c.Date) })
	b.doc.Schedules = append(b.doc.Schedules, tenants.Schedule{ID: id, Name: shown(name, id), Weekly: append([]tenants.Hours{}, weekly...), Dates: dates})
	b.report.carried("schedule")
	return id
}
