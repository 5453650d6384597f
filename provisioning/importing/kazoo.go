package importing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"tandem/provisioning/plan"
)

// kazoo is an export of Kazoo: documents of one account, as its API or its database gives them.
type kazoo struct {
	*builder
	docs  map[string][]doc          // by type
	byID  map[string]map[string]doc // by type, by id
	flows map[string]string         // id of a callflow -> id of the flow that it becomes
	boxed map[string]bool           // ids of vmboxes that a callflow leads to
}

// doc is one document.
type doc struct {
	place string
	v     map[string]any
}

func (d doc) text(names ...string) string {
	var v any = d.v
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	}
	return ""
}

func (d doc) truth(otherwise bool, names ...string) bool {
	var v any = d.v
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	if on, is := v.(bool); is {
		return on
	}
	return otherwise
}

func (d doc) texts(name string) (all []string) {
	list, _ := d.v[name].([]any)
	for _, v := range list {
		if s, is := v.(string); is {
			all = append(all, strings.TrimSpace(s))
		}
	}
	return all
}

func (d doc) id() string { return cmp.Or(d.text("id"), d.text("_id")) }

func (d doc) name() string { return cmp.Or(d.text("name"), d.id()) }

// The types of Kazoo's documents (pvt_type).
const (
	kazooUser     = "user"
	kazooDevice   = "device"
	kazooCallflow = "callflow"
	kazooMenu     = "menu"
	kazooBox      = "vmbox"
	kazooRule     = "temporal_rule"
	kazooRuleSet  = "temporal_rule_set"
	kazooGroup    = "group"
	kazooNumber   = "number"
	kazooNumbers  = "phone_numbers"
	kazooAccount  = "account"
	kazooMedia    = "media"
)

// kazooFolders are the types of documents by the names of the API's resources, as of files and folders.
func kazooFolders() map[string]string {
	return map[string]string{"users": kazooUser, "devices": kazooDevice, "callflows": kazooCallflow, "menus": kazooMenu, "vmboxes": kazooBox, "temporal_rules": kazooRule,
		"temporal_rules_sets": kazooRuleSet, "groups": kazooGroup, "phone_numbers": kazooNumbers, "numbers": kazooNumbers, "accounts": kazooAccount, "account": kazooAccount,
		"media": kazooMedia}
}

// Kazoo reads JSON: single documents, lists of them, answers of the API ({"data": ...}) and of the database ({"rows": [{"doc": ...}]}).
// What a document is says its pvt_type, or the name of its file or folder: users.json, users/ID.json.
func Kazoo(files []File, o Options) (Result, error) {
	k := &kazoo{builder: newBuilder(o), docs: map[string][]doc{}, byID: map[string]map[string]doc{}, flows: map[string]string{}, boxed: map[string]bool{}}
	for _, file := range files {
		content, err := text(file.Text)
		if err != nil {
			return Result{}, fmt.Errorf("%s %w", file.Name, err)
		}
		if extension(file.Name) != ".json" {
			k.report.left(file.Name, "file", path.Base(file.Name), "it is no JSON")
			continue
		}
		if err := k.read(file.Name, content); err != nil {
			return Result{}, fmt.Errorf("%s is no JSON: %w", file.Name, err)
		}
	}
	k.account()
	k.people()
	k.devices()
	k.name()
	k.callflows()
	k.restOfBoxes()
	k.numbers()
	k.others()
	return k.result(), nil
}

func (k *kazoo) read(name, content string) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(content)))
	decoder.UseNumber()
	kind := ""
	for part := range strings.SplitSeq(strings.TrimSuffix(strings.ToLower(name), ".json"), "/") {
		if of, known := kazooFolders()[part]; known {
			kind = of
		}
	}
	for decoder.More() { // one value, or one on each line
		var v any
		if err := decoder.Decode(&v); err != nil {
			return err
		}
		k.take(name, kind, v, 0)
	}
	return nil
}

// take finds the documents in a value.
func (k *kazoo) take(place, kind string, v any, depth int) {
	if depth > maxDepth {
		k.report.left(place, "document", "", "it is too deep within others")
		return
	}
	switch v := v.(type) {
	case []any:
		for i, inner := range v {
			k.take(fmt.Sprintf("%s/%d", place, i), kind, inner, depth+1)
		}
	case map[string]any:
		for _, wrap := range []string{"data", "docs", "rows", "doc"} {
			if inner, wrapped := v[wrap]; wrapped && v["pvt_type"] == nil && (wrap != "data" || v["flow"] == nil) {
				k.take(place, kind, inner, depth+1)
				return
			}
		}
		d := doc{place: place, v: v}
		if own := d.text("pvt_type"); own != "" {
			kind = own
		}
		if kind == "" {
			k.report.left(place, "document", d.name(), "its type is not known: it has no pvt_type, and its file is of no resource")
			return
		}
		if d.truth(false, "pvt_deleted") {
			return
		}
		if d.id() == "" {
			v["id"] = place
		}
		if _, twice := k.byID[kind][d.id()]; twice {
			k.report.left(place, kind, d.name(), "a document with its id is there already; the first is read")
			return
		}
		if k.byID[kind] == nil {
			k.byID[kind] = map[string]doc{}
		}
		k.byID[kind][d.id()] = d
		k.docs[kind] = append(k.docs[kind], d)
	default:
		k.report.left(place, "document", "", "it is no record")
	}
}

func (k *kazoo) account() {
	for _, d := range k.docs[kazooAccount] {
		if zone := d.text("timezone"); zone != "" && k.doc.Settings == nil {
			if _, err := time.LoadLocation(zone); err == nil && zone != "Local" {
				k.doc.Settings = &plan.Settings{TimeZone: &zone}
				k.report.carried("time zone")
				continue
			}
		}
		k.report.left(d.place, "account", d.name(), "of an account its time zone alone is carried over")
	}
}

// people adds users: each has the extension of the callflow that leads straight to him.
func (k *kazoo) people() {
	extensions := map[string]string{}
	for _, d := range k.docs[kazooCallflow] {
		root := node(d)
		for _, number := range d.texts("numbers") {
			if root.text("module") == "user" && extensionForm.MatchString(number) && extensions[root.text("data", "id")] == "" {
				extensions[root.text("data", "id")] = number
			}
		}
	}
	for _, d := range k.docs[kazooUser] {
		name := strings.TrimSpace(d.text("first_name") + " " + d.text("last_name"))
		ext := cmp.Or(extensions[d.id()], d.text("presence_id"))
		switch {
		case !d.truth(true, "enabled"):
			k.report.left(d.place, "user", name, "he is switched off in the source")
			continue
		case !extensionForm.MatchString(ext):
			k.report.left(d.place, "user", cmp.Or(name, d.id()), "he has no extension of 2 to 8 digits: no callflow leads straight to him")
			continue
		}
		user, ok := k.user(d.place, ext, cmp.Or(name, d.text("username")))
		if !ok {
			continue
		}
		k.leads["user/"+d.id()], k.leads["extension of "+user] = user, ext
		k.shows(d.place, user, d.text("caller_id", "external", "number"))
		set := k.settings(user)
		set.DoNotDisturb = d.truth(false, "do_not_disturb", "enabled")
		set.ForwardAll = k.forward(d.place, user, "call forward", d.text("call_forward", "number"), d.truth(false, "call_forward", "enabled"), d.truth(false, "call_forward", "require_keypress"))
		for _, rest := range [][2]string{{"hotdesk", "hot desking: users log in with their voicemail PIN"}, {"vm_to_email_enabled", "voicemail by e-mail"}} {
			if d.v[rest[0]] != nil && d.v[rest[0]] != false {
				k.report.partly(d.place, "user", name, "without "+rest[1])
			}
		}
	}
}

func (k *kazoo) devices() {
	for _, d := range k.docs[kazooDevice] {
		username := d.text("sip", "username")
		switch {
		case !d.truth(true, "enabled"):
			k.report.left(d.place, "device", d.name(), "it is switched off in the source")
			continue
		case username == "":
			k.report.left(d.place, "device", d.name(), "it does not register: make it a target of a ring group, or forward the user's calls to "+cmp.Or(d.text("call_forward", "number"), "it"))
			continue
		}
		owner := ""
		if id := d.text("owner_id"); id != "" {
			if owner = k.leads["user/"+id]; owner == "" {
				k.report.partly(d.place, "device", d.name(), "it is nobody's: its owner is not carried over")
			}
		}
		had := len(k.doc.Devices)
		k.device(d.place, username, d.name(), owner)
		if len(k.doc.Devices) > had {
			k.leads["device/"+d.id()] = k.doc.Devices[had].ID
		}
		if mac := d.text("mac_address"); mac != "" {
			k.report.left(d.place, "phone", mac, "set it up as the phone of the device "+username)
		}
	}
	if len(k.doc.Devices) > 0 {
		k.report.partly("", "password", "", "passwords of devices are not carried over: each gets a new one, which is shown when the file is applied")
	}
}

// restOfBoxes keeps boxes to which no callflow leads.
func (k *kazoo) restOfBoxes() {
	for _, d := range k.docs[kazooBox] {
		user := k.leads["user/"+d.text("owner_id")]
		has := slices.ContainsFunc(k.doc.VoicemailBoxes, func(b plan.Box) bool { return b.User == user })
		switch {
		case user == "":
			k.report.left(d.place, "voicemail box", d.name(), "it is no user's: a box belongs to a user")
		case has && !k.boxed[d.id()]:
			k.report.left(d.place, "voicemail box", d.name(), "its user has another: a user has one box")
		case !has:
			k.doc.VoicemailBoxes = append(k.doc.VoicemailBoxes, plan.Box{User: user})
			k.report.carried("voicemail box")
		}
	}
	if len(k.doc.VoicemailBoxes) > 0 {
		k.report.partly("", "PIN", "", "PINs and messages are not carried over: each box gets a new PIN, which is shown when the file is applied")
	}
}

// numbers reports the numbers of the account to which no callflow leads.
func (k *kazoo) numbers() {
	assigned := map[string]bool{}
	for _, n := range k.doc.Numbers {
		assigned[n.Number] = true
	}
	free := func(place, number string) {
		if e164, ok := k.e164(number); ok && !assigned[e164] {
			assigned[e164] = true
			k.assign(place, number, "")
			k.report.partly(place, "number", number, "no callflow leads from it: it leads nowhere")
		}
	}
	for _, d := range k.docs[kazooNumber] {
		free(d.place, d.id())
	}
	for _, d := range k.docs[kazooNumbers] {
		listed, is := d.v["numbers"].(map[string]any)
		if !is {
			listed = d.v
		}
		for _, number := range slices.Sorted(maps.Keys(listed)) {
			if strings.HasPrefix(number, "+") {
				free(d.place+"/"+number, number)
			}
		}
		if id := d.id(); strings.HasPrefix(id, "+") {
			free(d.place, id)
		}
	}
}

// others names every document of which nothing is read.
func (k *kazoo) others() {
	read := []string{kazooUser, kazooDevice, kazooCallflow, kazooMenu, kazooBox, kazooRule, kazooRuleSet, kazooGroup, kazooNumber, kazooNumbers, kazooAccount}
	for _, kind := range slices.Sorted(maps.Keys(k.docs)) {
		for _, d := range k.docs[kind] {
			if !slices.Contains(read, kind) {
				k.report.left(d.place, kind, d.name(), "documents of this type are not carried over")
			}
		}
	}
}

var errNever = errors.New("it is never met")
