package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"tandem/sipptest"
)

// The example that resellers begin with, as it stands in the documentation: after it a call to one of its numbers rings one of its phones.
func TestTheResellersExamplePutsACustomerOnTheAir(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	const domain, numbers = "harbour.example.com", "+4930901820"
	script := exec.CommandContext(within(t), "sh", "../../docs/examples/reseller.sh")
	script.Env = append(os.Environ(), "TANDEM_API=http://"+w.HTTPAddress, "TANDEM_API_KEY="+testOperatorKey, "RESELLER=example-reseller", "CUSTOMER=harbour", "DOMAIN="+domain,
		"NUMBERS="+numbers, "DAYS=0,1,2,3,4,5,6", "OPENS=00:00", "CLOSES=00:00")
	var faults bytes.Buffer
	script.Stderr = &faults
	printed, err := script.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, faults.String())
	}
	lines := strings.Split(strings.TrimSpace(string(printed)), "\n")
	if len(lines) != 50 {
		t.Fatalf("%d phones, want 50", len(lines))
	}
	user, password, _ := strings.Cut(lines[1], " ")
	phone := &sipptest.Phone{Edge: w.Edge, User: user, Domain: domain, Password: password, Address: "127.0.2.77"}
	w.awaitRevision(t)
	must(t, phone.Register(within(t), sipptest.Registration{}))
	must(t, w.awaitRegistered(within(t), user, domain))
	answering := listen(t, phone, sipptest.Behaviour{})
	succeed(t, w.incoming(t, "+12025550177", numbers+"7", sipptest.Call{}), answering)
}
