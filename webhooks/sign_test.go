package webhooks

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The vector that the specification's own libraries are tested with.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var vectorAt = time.Unix(1614265330, 0)

func TestAMessageIsSignedAsTheSpecificationSays(t *testing.T) {
	got, err := Sign([]string{vectorSecret}, vectorID, vectorAt, []byte(vectorBody))
	if err != nil || got != vectorSignature {
		t.Errorf("signed %s, %v", got, err)
	}
}

func TestWhatIsNoSignatureIsRefused(t *testing.T) {
	other := Secret(bytes.Repeat([]byte{7}, SecretBytes))
	for name, c := range map[string]struct {
		secret, id, timestamp, signatures, body string
		late                                    time.Duration
		good                                    bool
	}{
		"as signed":           {vectorSecret, vectorID, "1614265330", vectorSignature, vectorBody, 0, true},
		"one of several":      {vectorSecret, vectorID, "1614265330", "v1,AAAA v1a,BBBB " + vectorSignature + " v2,CCCC", vectorBody, 0, true},
		"another version":     {vectorSecret, vectorID, "1614265330", "v2," + vectorSignature[3:], vectorBody, 0, false},
		"another secret":      {other, vectorID, "1614265330", vectorSignature, vectorBody, 0, false},
		"another id":          {vectorSecret, "msg_2", "1614265330", vectorSignature, vectorBody, 0, false},
		"another time":        {vectorSecret, vectorID, "1614265331", vectorSignature, vectorBody, 0, false},
		"another body":        {vectorSecret, vectorID, "1614265330", vectorSignature, vectorBody + " ", 0, false},
		"no time":             {vectorSecret, vectorID, "", vectorSignature, vectorBody, 0, false},
		"no id":               {vectorSecret, "", "1614265330", vectorSignature, vectorBody, 0, false},
		"no signature":        {vectorSecret, vectorID, "1614265330", "", vectorBody, 0, false},
		"too old":             {vectorSecret, vectorID, "1614265330", vectorSignature, vectorBody, Tolerance + time.Second, false},
		"from the future":     {vectorSecret, vectorID, "1614265330", vectorSignature, vectorBody, -Tolerance - time.Second, false},
		"as old as it may be": {vectorSecret, vectorID, "1614265330", vectorSignature, vectorBody, Tolerance, true},
	} {
		err := Verify(c.secret, c.id, c.timestamp, c.signatures, []byte(c.body), vectorAt.Add(c.late))
		if (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoSecretIsRefused(t *testing.T) {
	for _, bad := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_###", Secret(make([]byte, MinSecret-1)), Secret(make([]byte, MaxSecret+1))} {
		if _, err := ParseSecret(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
		if _, err := Sign([]string{vectorSecret, bad}, "id", vectorAt, nil); err == nil {
			t.Errorf("%q signs", bad)
		}
	}
	if _, err := Sign(nil, "id", vectorAt, nil); err == nil {
		t.Error("nothing is signed with no secret")
	}
}

// While a secret is being changed both fit, so that no receiver misses a message.
func TestEachSecretThatSignsIsEnoughForItsReceiver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secrets []string
		for range rapid.IntRange(1, MaxSecrets).Draw(t, "secrets") {
			secrets = append(secrets, Secret(rapid.SliceOfN(rapid.Byte(), MinSecret, MaxSecret).Draw(t, "secret")))
		}
		id, body := "evt_"+rapid.StringMatching(`[0-9a-f]{32}`).Draw(t, "id"), rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		signed, err := Sign(secrets, id, vectorAt, body)
		if err != nil || len(strings.Fields(signed)) != len(secrets) {
			t.Fatalf("%q, %v", signed, err)
		}
		for _, secret := range secrets {
			if err := Verify(secret, id, "1614265330", signed, body, vectorAt); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestASecretThatWasReplacedSignsForAWhile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys, at := Rotate(nil, "0", vectorAt), vectorAt
		for n := range rapid.IntRange(1, 10).Draw(t, "rotations") {
			before := keys
			at = at.Add(time.Duration(rapid.IntRange(0, int(2*OldSecretFor)).Draw(t, "pause")))
			keys = Rotate(keys, strings.Repeat("x", n+1), at)
			switch {
			case len(keys) > MaxSecrets || keys[0].Until != nil || keys[0].Secret != strings.Repeat("x", n+1):
				t.Fatalf("%+v", keys)
			case keys[1].Secret != before[0].Secret || !keys[1].Until.Equal(at.Add(OldSecretFor)):
				t.Fatalf("the one before signs until %v", keys[1].Until)
			}
			for _, k := range keys[1:] {
				if k.Until == nil || !k.Until.After(at) {
					t.Fatalf("an old one stays: %+v", keys)
				}
			}
		}
	})
}
