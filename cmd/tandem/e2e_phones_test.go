package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	rest "tandem/provisioning/client"
	"tandem/sipptest"
)

// asOperator is the API of the worker, asked with the operator's key.
func (c *company) asOperator() client {
	return client{API: "http://" + c.w.HTTPAddress, Key: testOperatorKey}
}

// fetchFile gets a file as a phone does.
func fetchFile(t *testing.T, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), http.MethodGet, url, nil)
	must(t, err)
	request.Header.Set("User-Agent", "Yealink SIP-T46U 108.86.0.90")
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(text)
}

// setting reads one setting of a Yealink's file.
func setting(t *testing.T, file, key string) string {
	t.Helper()
	_, rest, found := strings.Cut(file, "\n"+key+" = ")
	if !found {
		t.Fatalf("no %s in\n%s", key, file)
	}
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// A phone out of its box: the URL is all that it is told. It fetches its file, registers with what stands there, is asked to fetch it
// again, and is the same phone afterwards.
func TestAPhoneProvisionsItselfAndRegisters(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	api, device := c.asOperator(), c.device("two")
	answer, err := api.api().SetDeviceProvisioning(within(t), c.id, device, rest.SetDeviceProvisioningParams{}, rest.PhoneBody{Mac: macOf(c.id), Vendor: "yealink", Keys: []rest.PhoneKey{{Type: "line"}, {Type: "blf", Value: "101"}}})
	must(t, err)
	made := answer.Body
	if !strings.HasPrefix(made.URL, w.PhonesURL+"/provision/") {
		t.Fatalf("the URL is %s", made.URL)
	}
	status, file := fetchFile(t, made.URL+macOf(c.id)+".cfg")
	if status != http.StatusOK {
		t.Fatalf("the phone gets %d", status)
	}
	must(t, (&sipptest.Phone{Edge: w.Edge, User: "two", Domain: c.domain, Password: c.users["two"].Password, Address: c.address}).Register(within(t), sipptest.Registration{Expect: 403}))
	phone := &sipptest.Phone{Edge: setting(t, file, "account.1.outbound_proxy.1.address") + ":" + setting(t, file, "account.1.outbound_proxy.1.port"),
		User: setting(t, file, "account.1.auth_name"), Domain: setting(t, file, "account.1.sip_server.1.address"), Password: setting(t, file, "account.1.password"), Address: c.address}
	awaitThat(t, "what stands in the file does not register", func(ctx context.Context) (bool, error) {
		return phone.Register(ctx, sipptest.Registration{}) == nil, nil
	})
	must(t, w.awaitRegistered(within(t), "two", c.domain))

	notified, err := phone.AwaitNotify(within(t), 0, sipptest.Check{Header: "Event", Pattern: "check-sync;reboot=false"})
	must(t, err)
	asked, err := api.api().ResyncDevice(within(t), c.id, device)
	must(t, err)
	if asked.Body.Contacts != 1 {
		t.Errorf("%d contacts are asked", asked.Body.Contacts)
	}
	must(t, notified.Wait(within(t)))
	if _, again := fetchFile(t, made.URL+macOf(c.id)+".cfg"); again != file {
		t.Errorf("fetched again it is another file:\n%s", again)
	}
	told, err := api.api().GetDeviceProvisioning(within(t), c.id, device)
	must(t, err)
	after := told.Body
	if after.LastFetch == nil || after.LastFetch.Count != 2 || after.LastFetch.UserAgent != "Yealink SIP-T46U 108.86.0.90" || after.URL != "" {
		t.Errorf("it is told that %+v", after)
	}
	said := w.tandem(t, "phone", "set", c.id, c.device("two"), "--phone-key", "line", "--phone-key", "speed_dial:+493012345:Taxi: Süd", "--api", api.API, "--key", api.Key)
	said += w.tandem(t, "phone", "files", c.id, c.device("two"), "--api", api.API, "--key", api.Key)
	for _, want := range []string{"key 2       speed_dial +493012345 Taxi: Süd", "by Yealink SIP-T46U 108.86.0.90 (2 in all)", "linekey.2.label = Taxi: Süd", "account.1.password = xxxxxxxxxxxxxxxxxxxxxxxxxx"} {
		if !strings.Contains(said, want) {
			t.Errorf("the command line does not say %q:\n%s", want, said)
		}
	}
	for _, url := range []string{made.URL, w.PhonesURL + "/provision/", w.PhonesURL + "/v1/tenants", w.PhonesURL + "/health"} {
		if status, _ := fetchFile(t, url); status != http.StatusNotFound {
			t.Errorf("%s: %d", url, status)
		}
	}
}

// macOf is a hardware address that no other company of the tests has.
func macOf(id string) string {
	sum := uint32(2166136261)
	for _, b := range []byte(id) {
		sum = (sum ^ uint32(b)) * 16777619
	}
	const hex = "0123456789abcdef"
	mac := []byte("0015")
	for range 8 {
		mac, sum = append(mac, hex[sum&15]), sum>>4
	}
	return string(mac)
}
