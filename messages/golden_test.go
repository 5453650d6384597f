package messages_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/messages"
)

// released are all types of this release. A new one is added here and gets good and bad files.
var released = []messages.Type{
	messages.RouteRequestV1, messages.RouteAnswerV1, messages.RegistrationV1, messages.CallEventV1, messages.CallOrderV1, messages.NodeEventV1,
	messages.EdgeHelloV1, messages.EdgeConfigV1, messages.EdgeForgetV1, messages.EdgeNotifyV1, messages.EdgeUnregisterV1, messages.EdgeFenceV1, messages.EdgeFencedV1, messages.EdgeByeV1, messages.CDRV1, messages.JournalV1,
	messages.NodeCallsV1, messages.NodeDialogsV1, messages.NodeAskV1,
	messages.RecordingV1,
	messages.NodeNewsV1,
	messages.CallMoveV1, messages.CallMovedV1,
	messages.TransferRequestV1, messages.TransferAnswerV1, messages.TransferRefusedV1,
	messages.CallStartV1,
}

// added are members that the kazoo module puts into what an edge publishes, and that nobody reads.
var added = []string{"App-Name", "App-Version", "Node", "Msg-ID"}

var freeze = flag.Bool("freeze", false, "add new good files to frozen.sum; those that stand there cannot be changed")

func files(t testing.TB, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(all) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return all
}

func content(t testing.TB, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// typeOf is the released type by whose name a file's begins, or "".
func typeOf(file string) messages.Type {
	for _, t := range released {
		if strings.HasPrefix(filepath.Base(file), string(t)+".") {
			return t
		}
	}
	return ""
}

func object(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func TestGoodFilesAreReadAndNothingInThemIsLost(t *testing.T) {
	for _, file := range files(t, "good/*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body := content(t, file)
			m, err := messages.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			if m.MessageType() != typeOf(file) {
				t.Errorf("read as %s", m.MessageType())
			}
			written, err := messages.Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			again, err := messages.Parse(written)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, again, cmp.Comparer(sameJSON)); diff != "" {
				t.Errorf("changed by a round trip: %s", diff)
			}
			want, got := object(t, body), object(t, written)
			for name, value := range want {
				if diff := cmp.Diff(value, got[name]); diff != "" && !slices.Contains(added, name) {
					t.Errorf("member %s: %s", name, diff)
				}
			}
		})
	}
}

func TestBadFilesAreRefusedWithTheirReason(t *testing.T) {
	for _, file := range files(t, "bad/*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := strings.TrimSpace(string(content(t, strings.TrimSuffix(file, ".json")+".txt")))
			m, err := messages.Parse(content(t, file))
			var refusal *messages.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v, %v", m, err)
			}
			if got := strings.TrimSpace(refusal.Reason + " " + refusal.Field); got != want {
				t.Errorf("refused with %q (%v), want %q", got, err, want)
			}
		})
	}
}

func TestAnOversizedMessageIsRefusedUnread(t *testing.T) {
	body := append(content(t, "testdata/good/edge.hello.v1.json"), bytes.Repeat([]byte(" "), messages.MaxMessageBytes)...)
	_, err := messages.Parse(body)
	var refusal *messages.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != "too_large" {
		t.Errorf("got %v", err)
	}
}

func TestParseAsRefusesAnotherType(t *testing.T) {
	_, err := messages.ParseAs[*messages.CDR](content(t, "testdata/good/edge.hello.v1.json"))
	var refusal *messages.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != "unknown_type" {
		t.Errorf("got %v", err)
	}
}

func TestEveryReleasedTypeHasGoodAndBadFilesWithEveryMember(t *testing.T) {
	for _, kind := range released {
		t.Run(string(kind), func(t *testing.T) {
			ofType := func(file string) bool { return typeOf(file) == kind }
			good := slices.DeleteFunc(files(t, "good/*.json"), func(f string) bool { return !ofType(f) })
			if len(good) == 0 || !slices.ContainsFunc(files(t, "bad/*.json"), ofType) {
				t.Fatal("has no good or no bad file")
			}
			seen := map[string]bool{}
			var m messages.Message
			for _, file := range good {
				body := content(t, file)
				for name := range object(t, body) {
					seen[name] = true
				}
				var err error
				if m, err = messages.Parse(body); err != nil {
					t.Fatal(err)
				}
			}
			for field := range fields(reflect.TypeOf(m).Elem()) {
				if !seen[field] {
					t.Errorf("member %s is in no good file", field)
				}
			}
		})
	}
}

func fields(t reflect.Type) map[string]int {
	names := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names[name] = i
	}
	return names
}

func TestGoodFilesNeverChange(t *testing.T) {
	const list = "testdata/frozen.sum"
	frozen := map[string]string{}
	for line := range strings.Lines(string(content(t, list))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		frozen[name] = sum
	}
	for _, file := range files(t, "good/*.json") {
		name := filepath.Base(file)
		sum := fmt.Sprintf("%x", sha256.Sum256(content(t, file)))
		switch had, known := frozen[name]; {
		case !known && *freeze:
			frozen[name] = sum
		case !known:
			t.Errorf("%s is not frozen: go test ./messages -run NeverChange -freeze", name)
		case had != sum:
			t.Errorf("%s has changed: a released message keeps its meaning; add a file or a version", name)
		}
	}
	var lines []string
	for name, sum := range frozen {
		if _, err := os.Stat(filepath.Join("testdata/good", name)); err != nil {
			t.Errorf("%s is gone: readers of a release must go on to read it", name)
		}
		lines = append(lines, sum+"  "+name+"\n")
	}
	if !*freeze || t.Failed() {
		return
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[66:], b[66:]) })
	if err := os.WriteFile(list, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}
