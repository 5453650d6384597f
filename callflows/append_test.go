package callflows

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sameEvent holds AppendEvent against json.Marshal.
func sameEvent(t interface{ Fatalf(string, ...any) }, e *Event) {
	want, err := json.Marshal(e)
	if err != nil {
		t.Fatalf("%+v: %v", e, err)
	}
	if got := AppendEvent([]byte("before"), e); string(got) != "before"+string(want) {
		t.Fatalf("got  %s\nwant %s", got[len("before"):], want)
	}
}

// sameCommands holds AppendCommands against json.Marshal.
func sameCommands(t interface{ Fatalf(string, ...any) }, commands []Command) {
	want, err := json.Marshal(commands)
	if err != nil {
		t.Fatalf("%+v: %v", commands, err)
	}
	if got := AppendCommands([]byte("before"), commands); string(got) != "before"+string(want) {
		t.Fatalf("got  %s\nwant %s", got[len("before"):], want)
	}
}

// fill gives a value, and all that is in it, what its functions give, whatever members its type has.
type fill struct {
	text   func() string
	number func() int64
	some   func() bool
}

func (f fill) value(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		if f.some() {
			v.Set(reflect.ValueOf(time.Unix(f.number()%(1<<37), f.number()%1e9).UTC()))
		}
		return
	case v.Kind() == reflect.Pointer && f.some():
		v.Set(reflect.New(v.Type().Elem()))
		f.value(v.Elem())
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f.value(v.Field(i))
		}
	case v.Kind() == reflect.Slice && f.some():
		const many = 2
		v.Set(reflect.MakeSlice(v.Type(), many, many))
		for i := range many {
			f.value(v.Index(i))
		}
	case v.Kind() == reflect.Map && f.some():
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.value(key)
		f.value(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case v.Kind() == reflect.String:
		v.SetString(f.text())
	case v.CanInt():
		v.SetInt(f.number())
	case v.Kind() == reflect.Bool:
		v.SetBool(f.some())
	}
}

// whole gives each member, down to the last, a value.
func whole() fill {
	return fill{text: func() string { return "x" }, number: func() int64 { return 7 }, some: func() bool { return true }}
}

// drawn gives members values of every kind, the empty ones often.
func drawn(t *rapid.T) fill {
	text := rapid.OneOf(rapid.Just(""), rapid.Just("101"), rapid.String(), rapid.SampledFrom([]string{"<&>", "\r\n", "\xff", "\u2028", `"`}))
	number := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-1<<40, 1<<40))
	return fill{text: func() string { return text.Draw(t, "text") }, some: func() bool { return rapid.Bool().Draw(t, "some") },
		number: func() int64 {
			return max(number.Draw(t, "number"), -1<<35) // a time before the year 0 cannot be written
		}}
}

func TestStepsAreAppendedAsJSONMarshalWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e Event
		var commands []Command
		drawn(t).value(reflect.ValueOf(&e).Elem())
		drawn(t).value(reflect.ValueOf(&commands).Elem())
		sameEvent(t, &e)
		sameCommands(t, commands)
	})
}

// TestAppendKnowsEachMember: a member that was added to a struct and not to what appends it would be missing when a step is
// replayed. Each is tried alone, and all together.
func TestAppendKnowsEachMember(t *testing.T) {
	sameEvent(t, &Event{})
	sameCommands(t, nil)
	sameCommands(t, []Command{})
	sameCommands(t, []Command{{}})
	for i := range reflect.TypeFor[Event]().NumField() {
		var e Event
		whole().value(reflect.ValueOf(&e).Elem().Field(i))
		if reflect.ValueOf(e).Field(i).IsZero() {
			t.Errorf("this test leaves %s empty", reflect.TypeFor[Event]().Field(i).Name)
		}
		sameEvent(t, &e)
	}
	for i := range reflect.TypeFor[Command]().NumField() {
		var c Command
		whole().value(reflect.ValueOf(&c).Elem().Field(i))
		if reflect.ValueOf(c).Field(i).IsZero() {
			t.Errorf("this test leaves %s empty", reflect.TypeFor[Command]().Field(i).Name)
		}
		sameCommands(t, []Command{c, {}, c})
	}
	var e Event
	var commands []Command
	whole().value(reflect.ValueOf(&e).Elem())
	whole().value(reflect.ValueOf(&commands).Elem())
	sameEvent(t, &e)
	sameCommands(t, commands)
}

func TestNeitherSecretsNorTimesThatCannotBeWrittenAreAppended(t *testing.T) {
	late := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	e := Event{Kind: HungUp, At: late, Secret: "4711", End: &LegEnd{CreatedAt: late, AnsweredAt: &late}, Found: &Found{Since: late}}
	const want = `{"kind":"hung_up","at":null,"end":{"cause":"","q850":0,"by":"","created_at":null,"answered_at":null},"found":null}`
	if got := AppendEvent(nil, &e); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := AppendCommands(nil, []Command{{Kind: CheckPIN, N: 1, Leg: "a", Secret: "4711"}}); string(got) != `[{"kind":"check_pin","n":1,"leg":"a"}]` {
		t.Errorf("got %s", got)
	}
}

// FuzzAppendEvent: whatever a phone or a carrier writes, what is kept of it is written as json.Marshal does.
func FuzzAppendEvent(f *testing.F) {
	f.Add("desk", "Front <Desk>", "sip:1@192.0.2.1", 486, true)
	f.Add("\xff", "\u2028", "\x00\r\n", -1, false)
	f.Fuzz(func(t *testing.T, number, name, uri string, n int, flag bool) {
		caller := Caller{Device: uri, Number: number, Name: name, Private: flag}
		sameEvent(t, &Event{Kind: Parked, Leg: uri, Command: n, Call: &Call{ID: uri, Edge: uri, Caller: caller, Dialled: number, SIPCallID: name, Diversions: n},
			Target: number, Digits: name, Missing: flag, Contacts: []Contact{{Device: number, URI: uri, Edge: name}}, Talking: []string{name},
			Other: &Party{Leg: uri, Name: name}, End: &LegEnd{Cause: name, Q850: n, SIPCallID: uri, From: number, FromName: name, To: number, Estimated: flag}})
		sameCommands(t, []Command{{Kind: Ring, N: n, Leg: uri, CallerID: CallerID{Number: number, Name: name, Private: flag}, Trunks: []string{uri}, Wait: time.Duration(n),
			Targets: []Target{{Leg: uri, URI: uri, Number: number, CallerID: &CallerID{Name: name, Nameless: flag}}}, Text: name}})
	})
}
