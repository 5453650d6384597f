package provisioning

import (
	"strings"
	"testing"
)

func TestAPINIsVerifiedByItsHashAlone(t *testing.T) {
	hash := HashPIN("4711")
	if strings.Contains(hash, "4711") || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || hash == HashPIN("4711") {
		t.Errorf("hash %s", hash)
	}
	for pin, right := range map[string]bool{"4711": true, "4712": false, "": false, "471": false, "4711 ": false, strings.Repeat("4", 1000): false} {
		if VerifyPIN(hash, pin) != right {
			t.Errorf("%q: %t", pin, !right)
		}
	}
	weaker := strings.Replace(hash, "m=19456", "m=8", 1)
	if VerifyPIN(weaker, "4711") || VerifyPIN("$argon2id$", "4711") || VerifyPIN("", "4711") {
		t.Error("a hash of other parameters is taken")
	}
}

func TestPINsThatAreGuessedFirst(t *testing.T) {
	for pin, is := range map[string]bool{"0000": true, "1234": true, "98765": true, "4711": false, "1357": false, "1221": false, "1235": false} {
		if guessed(pin) != is {
			t.Errorf("%s: %t", pin, !is)
		}
	}
}
