package importing

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// fusion is an export of FusionPBX: rows of its tables (their names and columns are those of its app_config.php files).
type fusion struct {
	*builder
	tables map[string][]row
	domain string // domain_uuid; empty: all rows are of one
	xml    []xmlExtension
	found  []condition // nil: not looked for yet
}

// The kinds of FusionPBX's tables.
const (
	fusionExtensions  = "v_extensions"
	fusionVoicemails  = "v_voicemails"
	fusionDevices     = "v_devices"
	fusionLines       = "v_device_lines"
	fusionKeys        = "v_device_keys"
	fusionGroups      = "v_ring_groups"
	fusionMembers     = "v_ring_group_destinations"
	fusionMenus       = "v_ivr_menus"
	fusionOptions     = "v_ivr_menu_options"
	fusionNumbers     = "v_destinations"
	fusionDialplans   = "v_dialplans"
	fusionDetails     = "v_dialplan_details"
	fusionDomains     = "v_domains"
	fusionXMLDialplan = "dialplan XML"
)

// fusionHeaders tell which table a CSV is of, by columns that no table before it in the list has.
func fusionHeaders() []struct{ column, table string } {
	return []struct{ column, table string }{
		{"destination_delay", fusionMembers}, {"ring_group_extension", fusionGroups}, {"ivr_menu_option_digits", fusionOptions}, {"ivr_menu_extension", fusionMenus},
		{"voicemail_id", fusionVoicemails}, {"device_key_type", fusionKeys}, {"line_number", fusionLines}, {"device_address", fusionDevices},
		{"device_mac_address", fusionDevices}, {"destination_number", fusionNumbers}, {"dialplan_detail_type", fusionDetails}, {"dialplan_name", fusionDialplans},
		{"extension", fusionExtensions}, {"domain_name", fusionDomains},
	}
}

// fusionSilent are tables of a whole dump that are no configuration of a customer's: logs, sessions, menus of its own screens.
func fusionSilent() []string {
	return []string{"v_apps", "v_app_", "v_database", "v_default_settings", "v_domain_settings", "v_email_logs", "v_event_guard_logs", "v_groups", "v_group_permissions", "v_languages",
		"v_menu", "v_modules", "v_permissions", "v_software", "v_session", "v_themes", "v_user_logs", "v_vars", "v_xml_cdr", "v_device_vendor", "v_sip_profile", "v_countries",
		"v_dashboard", "v_device_profile", "v_sofia_global_settings", "v_number_translation", "v_event_sockets", "v_access_control", "v_notifications"}
}

// FusionPBX reads CSV downloads of single tables, dumps in SQL, and dialplans in XML.
func FusionPBX(files []File, o Options) (Result, error) {
	f := &fusion{builder: newBuilder(o), tables: map[string][]row{}}
	for _, file := range files {
		content, err := text(file.Text)
		if err != nil {
			return Result{}, fmt.Errorf("%s %w", file.Name, err)
		}
		if err := f.read(file.Name, content); err != nil {
			return Result{}, err
		}
	}
	if err := f.chooseDomain(); err != nil {
		return Result{}, err
	}
	f.extensions()
	f.voicemails()
	f.hardware()
	f.name()
	f.groups()
	f.menus()
	f.times()
	f.numbers()
	f.others()
	return f.result(), nil
}

func (f *fusion) read(name, content string) error {
	switch extension(name) {
	case ".sql":
		return sqlRows(name, content, func(table string, r row) { f.tables[table] = append(f.tables[table], r) })
	case ".xml":
		return f.dialplanXML(name, content)
	case ".csv", ".txt", "":
		header, rows, err := table(name, content)
		if err != nil {
			return err
		}
		for _, h := range fusionHeaders() {
			if slices.Contains(header, h.column) {
				f.tables[h.table] = append(f.tables[h.table], rows...)
				return nil
			}
		}
		f.report.left(name, "file", path.Base(name), "its columns are those of no table that is known")
		return nil
	}
	f.report.left(name, "file", path.Base(name), "it is neither CSV, SQL nor XML")
	return nil
}

// chooseDomain keeps the customers of one installation apart.
func (f *fusion) chooseDomain() error {
	names := map[string]string{}
	for _, r := range f.tables[fusionDomains] {
		names[r.get("domain_uuid")] = r.get("domain_name")
	}
	there := map[string]bool{}
	for _, r := range f.tables[fusionExtensions] {
		if id := r.get("domain_uuid"); id != "" {
			there[id] = true
		}
	}
	if f.Domain != "" {
		f.domain = f.Domain
		for id, name := range names {
			if strings.EqualFold(name, f.Domain) {
				f.domain = id
			}
		}
		if !there[f.domain] {
			return errors.New("the export has no extensions of the domain " + strconv.Quote(f.Domain))
		}
		return nil
	}
	if len(there) > 1 {
		var all []string
		for _, id := range slices.Sorted(maps.Keys(there)) {
			all = append(all, strings.TrimSpace(names[id]+" "+id))
		}
		return errors.New("the export is of several customers: say which domain is meant: " + strings.Join(all, ", "))
	}
	return nil
}

// rows gives the rows of a table that are of the chosen customer.
func (f *fusion) rows(table string) []row {
	return slices.DeleteFunc(slices.Clone(f.tables[table]), func(r row) bool {
		id := r.get("domain_uuid")
		return f.domain != "" && id != "" && id != f.domain
	})
}

// enabled reports what is switched off.
func (f *fusion) enabled(r row, column, kind, name string) bool {
	if r.truth(column, true) {
		return true
	}
	f.report.left(r.place, kind, name, "it is switched off in the source")
	return false
}

func (f *fusion) extensions() {
	for _, r := range f.rows(fusionExtensions) {
		ext := r.get("extension")
		if !f.enabled(r, "enabled", "extension", ext) {
			continue
		}
		name := r.get("effective_caller_id_name")
		if full := strings.TrimSpace(r.get("directory_first_name") + " " + r.get("directory_last_name")); full != "" {
			name = full
		}
		user, ok := f.user(r.place, ext, name)
		if !ok {
			continue
		}
		f.device(r.place, ext, name, user)
		f.shows(r.place, user, r.get("outbound_caller_id_number"))
		f.extensionSettings(r, user)
		f.extensionRest(r, ext)
	}
	if len(f.doc.Devices) > 0 {
		f.report.partly("", "password", "", "passwords of devices are not carried over: each gets a new one, which is shown when the file is applied")
	}
}

func (f *fusion) extensionSettings(r row, user string) {
	set := f.settings(user)
	set.DoNotDisturb = r.truth("do_not_disturb", false)
	set.ForwardAll = f.forward(r.place, user, "forward all", r.get("forward_all_destination"), r.truth("forward_all_enabled", false), false)
	set.ForwardBusy = f.forward(r.place, user, "forward busy", r.get("forward_busy_destination"), r.truth("forward_busy_enabled", false), false)
	set.ForwardNoAnswer = f.forward(r.place, user, "forward no answer", r.get("forward_no_answer_destination"), r.truth("forward_no_answer_enabled", false), false)
	if seconds, err := strconv.Atoi(r.get("call_timeout")); err == nil && set.ForwardNoAnswer.On {
		set.NoAnswerSeconds = min(max(seconds, 0), 600)
	}
}

// extensionRest reports what an extension has and a user has not.
func (f *fusion) extensionRest(r row, ext string) {
	for _, c := range []struct{ column, kind, detail string }{
		{"number_alias", "number alias", "a user has one extension"},
		{"follow_me_destinations", "follow me", "make a ring group of its numbers, or forward all calls"},
		{"call_group", "call group", "calls are picked up by extension"},
		{"missed_call_data", "missed call notice", "set a webhook for it"},
		{"user_record", "recording", "put the element record into a flow"},
		{"toll_allow", "toll allow", "what may be called is the tenant's setting, not a user's"},
		{"hold_music", "music on hold", "it is a setting of the tenant's"},
		{"emergency_caller_id_number", "emergency caller id", "set the whereabouts of the device"},
		{"limit_max", "call limit", "limits are the tenant's"},
		{"auth_acl", "address list", "who may register is judged by the password alone"},
		{"cidr", "address list", "who may register is judged by the password alone"},
		{"forward_user_not_registered_destination", "forwarding when not registered", "forward unanswered calls instead"},
	} {
		if value := r.get(c.column); value != "" && !(c.column == "limit_max" && value == "5") {
			f.report.partly(r.place, c.kind, ext, c.detail)
		}
	}
	if r.truth("follow_me_enabled", false) && r.get("follow_me_destinations") == "" {
		f.report.partly(r.place, "follow me", ext, "make a ring group of its numbers, or forward all calls")
	}
}

func (f *fusion) voicemails() {
	seconds := map[string]int{}
	for _, r := range f.rows(fusionExtensions) {
		seconds[r.get("extension")], _ = strconv.Atoi(r.get("call_timeout"))
	}
	for _, r := range f.rows(fusionVoicemails) {
		ext := r.get("voicemail_id")
		switch user := f.users[ext]; {
		case !f.enabled(r, "voicemail_enabled", "voicemail box", ext):
		case user == "":
			f.report.left(r.place, "voicemail box", ext, "it is no user's: a box belongs to a user")
		case f.boxes[user]:
			f.report.left(r.place, "voicemail box", ext, "it is there twice; the first is carried over")
		default:
			f.voicemail(user, ext, seconds[ext])
			for _, c := range [][2]string{{"voicemail_mail_to", "messages are not sent by e-mail"}, {"greeting_id", "greetings are not carried over: it begins with the usual one"},
				{"alternate_voicemail_destination", "messages are not copied"}} {
				if r.get(c[0]) != "" {
					f.report.partly(r.place, "voicemail box", ext, c[1])
				}
			}
		}
	}
	if len(f.doc.VoicemailBoxes) > 0 {
		f.report.partly("", "PIN", "", "PINs and messages are not carried over: each box gets a new PIN, which is shown when the file is applied")
	}
}

// hardware reports phones: they are set up with what they fetch, by themselves.
func (f *fusion) hardware() {
	lines := map[string][]string{}
	for _, r := range f.rows(fusionLines) {
		lines[r.get("device_uuid")] = append(lines[r.get("device_uuid")], r.get("user_id"))
	}
	for _, r := range f.rows(fusionDevices) {
		mac := r.get("device_address")
		if mac == "" {
			mac = r.get("device_mac_address")
		}
		detail := "set it up as the phone of a device"
		if of := lines[r.get("device_uuid")]; len(of) > 0 {
			detail = "set it up as the phone of the device " + strings.Join(of, ", ")
		}
		f.report.left(r.place, "phone", strings.TrimSpace(mac+" "+r.get("device_vendor")+" "+r.get("device_model")), detail)
	}
	for _, r := range f.rows(fusionKeys) {
		f.report.left(r.place, "key of a phone", strings.TrimSpace(r.get("device_key_type")+" "+r.get("device_key_value")), "keys are set with the phone")
	}
}

// others names every table of which nothing is read.
func (f *fusion) others() {
	known := []string{fusionExtensions, fusionVoicemails, fusionDevices, fusionLines, fusionKeys, fusionGroups, fusionMembers, fusionMenus, fusionOptions, fusionNumbers,
		fusionDialplans, fusionDetails, fusionDomains, fusionXMLDialplan}
	for _, name := range slices.Sorted(maps.Keys(f.tables)) {
		rows := f.rows(name)
		if len(rows) == 0 || slices.Contains(known, name) || slices.ContainsFunc(fusionSilent(), func(s string) bool { return strings.HasPrefix(name, s) }) {
			continue
		}
		f.report.left(rows[0].place, "table", name, fmt.Sprintf("nothing is read of it: %d rows", len(rows)))
	}
	for _, name := range known {
		for _, r := range f.rows(name) {
			if r.values == nil {
				f.report.left(r.place, "row", name, "the statement does not name its columns")
			}
		}
	}
}
