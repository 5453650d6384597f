package webhooks

// Type is a type of event.
type Type struct {
	Name    string
	Words   string // when it happens
	Subject string // what its subject is, in words
	Fields  []Field
	Example string // of its data
}

// Field is one member of an event's data.
type Field struct {
	Name     string
	Kind     Kind
	Optional bool     // left out when it is not known or does not apply
	Values   []string // the only ones of a text
	Words    string
}

// Kind is what a field holds.
type Kind string

const (
	Text    Kind = "text"
	Number  Kind = "number" // whole
	Boolean Kind = "boolean"
	Time    Kind = "time" // RFC 3339
)

// Types lists all types of events, in the order in which people read of them.
func Types() []Type {
	return []Type{
		{Name: CallStarted, Words: "A call has reached a media node. It is told before the call's other events; of a call that ended before any node had it, at its end.", Subject: "the call",
			Fields: callFields(), Example: `{"call":"7d8f0f4e-2b7e-5c55-9e0b-0e9ae3a3f0a1","from":"+493012345678","to":"+49891234560","started_at":"2026-03-02T09:30:00Z"}`},
		{Name: CallAnswered, Words: "The caller's side was answered: by a person, a menu or a mailbox.", Subject: "the call",
			Fields: append(callFields(), Field{Name: "answered_at", Kind: Time, Words: "when the caller's side was answered"}), Example: `{"call":"7d8f0f4e-2b7e-5c55-9e0b-0e9ae3a3f0a1","from":"+493012345678","to":"+49891234560","started_at":"2026-03-02T09:30:00Z","answered_at":"2026-03-02T09:30:04Z"}`},
		{Name: CallEnded, Words: "The last leg of a call is over, or the call was refused. It is told once for each call.", Subject: "the call",
			Fields: endedFields(), Example: `{"call":"7d8f0f4e-2b7e-5c55-9e0b-0e9ae3a3f0a1","from":"+493012345678","to":"+49891234560","started_at":"2026-03-02T09:30:00Z","answered_at":"2026-03-02T09:30:04Z","ended_at":"2026-03-02T09:31:04Z","duration_s":64,"talk_s":60,"cause":"NORMAL_CLEARING","q850":16,"fault":"none","version":12}`},
		{Name: CallLegEnded, Words: "A leg of a call is over: its record, the caller's side or one that was called. An estimated record may be followed by the certain one.", Subject: "the call",
			Fields: legFields(), Example: `{"leg":"7d8f0f4e-1111-4222-8333-444455556666","call":"7d8f0f4e-2b7e-5c55-9e0b-0e9ae3a3f0a1","role":"callee","from":"+493012345678","to":"101","device":"desk-1","started_at":"2026-03-02T09:30:01Z","answered_at":"2026-03-02T09:30:04Z","ended_at":"2026-03-02T09:31:04Z","duration_s":63,"talk_s":60,"cause":"NORMAL_CLEARING","q850":16,"fault":"none","version":12,"estimated":false}`},
		{Name: VoicemailKept, Words: "A message is in a voicemail box, and can be heard.", Subject: "the call that left it", Fields: voicemailFields(),
			Example: `{"message":"7d8f0f4e-2b7e-5c55-9e0b-0e9ae3a3f0a1/7","box":"anna","call":"7d8f0f4e-2b7e-5c55-9e0b-0e9ae3a3f0a1","from":"+493012345678","from_name":"","recorded_at":"2026-03-02T09:30:31Z","length_ms":12500}`},
		{Name: RegistrationChange, Words: "A contact of a device has come, moved to another address, or gone. A refresh is no change.", Subject: "the device",
			Fields: append(deviceFields(), contactFields()...), Example: `{"device":"desk-1","username":"anna","domain":"acme.example","change":"added","contact":"sip:anna@192.0.2.7:5060","address":"192.0.2.7","transport":"udp","user_agent":"Deskphone 1.0","expires_at":"2026-03-02T10:30:00Z"}`},
		{Name: DeviceRegistered, Words: "A device that could not be called can be called now: its first contact has come.", Subject: "the device",
			Fields: deviceFields(), Example: `{"device":"desk-1","username":"anna","domain":"acme.example"}`},
		{Name: DeviceUnregistered, Words: "A device's last contact is gone: it cannot be called.", Subject: "the device",
			Fields: deviceFields(), Example: `{"device":"desk-1","username":"anna","domain":"acme.example"}`},
		{Name: ConfigPublished, Words: "A version of the tenant's configuration is the one that new calls get.", Subject: "the configuration", Fields: []Field{
			{Name: "version", Kind: Number, Words: "number of the version"}, {Name: "by", Kind: Text, Words: "who published it"}, {Name: "comment", Kind: Text, Words: "what was said of it"},
		}, Example: `{"version":13,"by":"anna","comment":"opening hours of May"}`},
		{Name: Test, Words: "Somebody has asked for a test. It goes to one webhook, whatever types that one takes.", Subject: "the webhook", Fields: []Field{
			{Name: "webhook", Kind: Text, Words: "id of the webhook"},
		}, Example: `{"webhook":"front-desk"}`},
	}
}

func callFields() []Field {
	return []Field{
		{Name: "call", Kind: Text, Words: "id of the call, by which it is found and explained"},
		{Name: "from", Kind: Text, Words: "the caller as presented; empty: withheld"},
		{Name: "to", Kind: Text, Words: "what the caller dialled"},
		{Name: "started_at", Kind: Time, Words: "when the call began"},
	}
}

// durations are what each end tells.
func durations() []Field {
	return []Field{
		{Name: "answered_at", Kind: Time, Optional: true, Words: "when it was answered"},
		{Name: "ended_at", Kind: Time, Words: "when it ended"},
		{Name: "duration_s", Kind: Number, Words: "seconds from the start, rounded down"},
		{Name: "talk_s", Kind: Number, Words: "seconds from the answer, rounded down; 0 without one"},
		{Name: "sip_code", Kind: Number, Optional: true, Words: "SIP status that ended it, without an answer"},
		{Name: "cause", Kind: Text, Words: "why it ended, as FreeSWITCH names it"},
		{Name: "q850", Kind: Number, Words: "the same as a number of Q.850"},
		{Name: "fault", Kind: Text, Values: []string{"none", "caller", "callee", "tenant", "carrier", "platform"}, Words: "whose doing the end was"},
		{Name: "version", Kind: Number, Words: "version of the configuration that decided; 0: none"},
	}
}

func endedFields() []Field { return append(callFields(), durations()...) }

func legFields() []Field {
	fields := []Field{
		{Name: "leg", Kind: Text, Words: "id of the leg; the call's own when no node was reached"},
		{Name: "call", Kind: Text, Words: "id of its call"},
		{Name: "role", Kind: Text, Values: []string{"caller", "callee"}, Words: "whether it is the caller's"},
		{Name: "from", Kind: Text, Words: "the caller as presented on this leg"},
		{Name: "to", Kind: Text, Words: "what was dialled on this leg"},
		{Name: "device", Kind: Text, Optional: true, Words: "id of the device at its far end"},
		{Name: "trunk", Kind: Text, Optional: true, Words: "id of the trunk that it used"},
		{Name: "started_at", Kind: Time, Words: "when the leg began"},
	}
	return append(append(fields, durations()...), Field{Name: "estimated", Kind: Boolean, Words: "written without the media node's own last word"})
}

func voicemailFields() []Field {
	return []Field{
		{Name: "message", Kind: Text, Words: "id of the message"},
		{Name: "box", Kind: Text, Words: "id of the user whose box it is in"},
		{Name: "call", Kind: Text, Words: "id of the call that left it"},
		{Name: "from", Kind: Text, Words: "the caller as presented; empty: withheld or not known"},
		{Name: "from_name", Kind: Text, Words: "the caller's name as presented"},
		{Name: "recorded_at", Kind: Time, Words: "when the recording began"},
		{Name: "length_ms", Kind: Number, Words: "its length in milliseconds"},
	}
}

func deviceFields() []Field {
	return []Field{
		{Name: "device", Kind: Text, Words: "id of the device"},
		{Name: "username", Kind: Text, Words: "user part of its address of record"},
		{Name: "domain", Kind: Text, Words: "domain of its address of record"},
	}
}

func contactFields() []Field {
	return []Field{
		{Name: "change", Kind: Text, Values: []string{"added", "moved", "removed", "expired"}, Words: "what has become of the contact"},
		{Name: "contact", Kind: Text, Words: "the contact's URI as the device has sent it"},
		{Name: "address", Kind: Text, Words: "the address that it registers from"},
		{Name: "transport", Kind: Text, Words: "udp, tcp or tls"},
		{Name: "user_agent", Kind: Text, Words: "what the device says it is"},
		{Name: "expires_at", Kind: Time, Words: "until when it may be called"},
	}
}
