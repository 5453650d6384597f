package messages_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/messages"
)

// sameRequest holds ParseRouteRequest against ParseAs.
func sameRequest(t *testing.T, body []byte) {
	t.Helper()
	got, err := messages.ParseRouteRequest(body)
	want, wantErr := messages.ParseAs[*messages.RouteRequest](body)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%q is read differently (-encoding/json +ParseRouteRequest):\n%s", body, diff)
	}
	var refusal, wantRefusal *messages.Refusal
	if errors.As(err, &refusal) != errors.As(wantErr, &wantRefusal) || (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: %v, want %v", body, err, wantErr)
	}
	if diff := cmp.Diff(wantRefusal, refusal); diff != "" {
		t.Errorf("%q is refused differently:\n%s", body, diff)
	}
}

func TestARouteRequestIsReadAsByTheSlowWay(t *testing.T) {
	for _, pattern := range []string{"good/*.json", "bad/*.json"} {
		for _, file := range files(t, pattern) {
			sameRequest(t, content(t, file))
		}
	}
	minimal := string(bytes.TrimSpace(content(t, "testdata/good/route.request.v1.minimal.json")))
	for _, more := range []string{
		`"sdp":"v=0\r\n\"\\\/\b\f\t"`, `"sdp":"\u00e9\ud83d\ude00"`, `"sdp":"\ud83d"`, `"sdp":"é 😀"`, `"sdp":"` + "\xff" + `"`,
		`"sdp":"` + "\n" + `"`, `"sdp":"\x"`, `"sdp":"\`, `"sdp":null`, `"sdp":1`, `"sdp":""`, `"SDP":"v=0"`, `"sdp":"a","sdp":"b"`,
		`"cseq":01`, `"cseq":-1`, `"cseq":-0`, `"cseq":1.5`, `"cseq":1e2`, `"cseq":0`, `"cseq":999999999999999999999`, `"cseq":1 `,
		`"cseq":"1"`, `"path":[]`, `"path":["a","b"]`, `"path":["a",]`, `"path":[null]`, `"path":["a"],"path":["b","c"]`, `"path":"a"`,
		`"sdp":"aaaaaaaaaaaaaaa` + "\x1f" + `aaaaaaaaaaa"`, `"sdp":"éééééé` + "\x00" + `ééééé"`, `"sdp":"` + "\x7f" + `"`, `"Node":"x"`, `"Node":1`, `"later":{"a":[1]}`, `"later":true`, "", `"x"`, "\"\t\" : \"\" \n",
	} {
		sameRequest(t, []byte(strings.TrimSuffix(minimal, "}")+","+more+"}"))
		sameRequest(t, []byte(strings.TrimSuffix(minimal, "}")+","+more))
	}
	sameRequest(t, []byte(minimal+" x"))
	sameRequest(t, []byte(minimal+minimal))
}

// TestTheFastWayKnowsEachMember: one that it did not know would make every request slow that has it.
func TestTheFastWayKnowsEachMember(t *testing.T) {
	request := reflect.TypeFor[messages.RouteRequest]()
	known := map[string]bool{}
	for _, file := range []string{"testdata/good/route.request.v1.maximal.json", "testdata/good/route.request.v1.between.json", "testdata/good/route.request.v1.again.json"} {
		for name := range object(t, content(t, file)) {
			known[name] = true
		}
	}
	for i := range request.NumField() {
		name, _, _ := strings.Cut(request.Field(i).Tag.Get("json"), ",")
		if !known[name] {
			t.Errorf("the maximal requests lack %s", name)
		}
	}
	body := content(t, "testdata/good/route.request.v1.between.json")
	fast := testing.AllocsPerRun(10, func() { _, _ = messages.ParseRouteRequest(body) })
	slow := testing.AllocsPerRun(10, func() { _, _ = messages.ParseAs[*messages.RouteRequest](body) })
	if fast > slow/2 {
		t.Errorf("%g allocations, as many as encoding/json needs (%g): a member is unknown to the scanner", fast, slow)
	}
}

func FuzzRouteRequest(f *testing.F) {
	for _, pattern := range []string{"good/route.request.*.json", "bad/route.request.*.json"} {
		for _, file := range files(f, pattern) {
			f.Add(content(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) { sameRequest(t, body) })
}
