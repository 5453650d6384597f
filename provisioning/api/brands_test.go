package api_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"tandem/postgres"
	"tandem/provisioning"
)

// pictureOf is a PNG of a size.
func pictureOf(t *testing.T, width, height int) string {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))))
	return b.String()
}

type brandAnswer struct {
	Name        string
	Domain      string
	Logo        string
	Inherited   bool
	PrimaryText string `json:"primary_text"`
}

func TestABrandHoldsForAllBelowThatHaveNone(t *testing.T) {
	w := newWorld(t)
	north, ada := w.key("north"), w.key("ada")
	own := object{"name": "Northern Voice", "primary_color": "#0b5d4e", "accent_color": "#ffd54f", "email_name": "Northern", "email_address": "phone@north.example"}
	var got brandAnswer
	w.ask(ada, "GET", "/v1/tenants/ada/brand", nil).into(200, &got)
	if got.Name != provisioning.PlatformName || !got.Inherited || got.Logo != "" {
		t.Errorf("without any brand %+v", got)
	}
	w.ask(north, "PUT", "/v1/tenants/north/brand", own).is(200, "")
	w.ask(ada, "GET", "/v1/tenants/ada/brand", nil).into(200, &got)
	if got.Name != "Northern Voice" || !got.Inherited || got.PrimaryText != "#ffffff" {
		t.Errorf("below a reseller with a brand %+v", got)
	}
	w.ask(ada, "PUT", "/v1/tenants/ada/brand", object{"name": "Ada's", "primary_color": "#ffffff", "accent_color": "#000000"}).is(200, "")
	got = brandAnswer{}
	w.ask(ada, "GET", "/v1/tenants/ada/brand", nil).into(200, &got)
	if got.Name != "Ada's" || got.Inherited || got.PrimaryText != "#000000" {
		t.Errorf("its own %+v", got)
	}
	w.ask(ada, "DELETE", "/v1/tenants/ada/brand", nil).is(204, "")
	w.ask(ada, "DELETE", "/v1/tenants/ada/brand", nil).is(404, "not_found")
	w.ask(ada, "GET", "/v1/tenants/ada/brand", nil).into(200, &got)
	if got.Name != "Northern Voice" || !got.Inherited {
		t.Errorf("after its own is gone %+v", got)
	}
	w.ask(ada, "GET", "/v1/tenants/north/brand", nil).is(404, "not_found")
}

func TestADomainIsThePlatformsToSetAndShowsItsBrandToEverybody(t *testing.T) {
	w := newWorld(t)
	north := w.key("north")
	own := object{"name": "Northern Voice", "primary_color": "#0b5d4e", "accent_color": "#ffd54f", "domain": "phone.north.example"}
	w.ask(north, "PUT", "/v1/tenants/north/brand", own).is(409, "conflict")
	w.ask(w.operator, "PUT", "/v1/tenants/north/brand", own).is(200, "")
	own["name"] = "North"
	w.ask(north, "PUT", "/v1/tenants/north/brand", own).is(200, "") // which leaves the domain as it is
	w.ask(w.operator, "PUT", "/v1/tenants/south/brand", own).is(409, "conflict")

	w.putPicture(north, "/v1/tenants/north/brand/logo", pictureOf(t, 40, 10)).is(200, "")
	var got brandAnswer
	w.ask("", "GET", "/v1/brand?domain=Phone.North.example", nil).into(200, &got)
	if got.Name != "North" || !strings.HasPrefix(got.Logo, "/v1/brand/logo?domain=phone.north.example") {
		t.Errorf("of the domain %+v", got)
	}
	if a := w.ask("", "GET", got.Logo, nil); a.Status != 200 || a.Header.Get("Content-Type") != "image/png" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("its logo: %d %v", a.Status, a.Header)
	}
	got = brandAnswer{}
	w.ask("", "GET", "/v1/brand?domain=elsewhere.example", nil).into(200, &got)
	if got.Name != provisioning.PlatformName || got.Logo != "" {
		t.Errorf("of another domain %+v", got)
	}
	w.ask("", "GET", "/v1/brand/logo?domain=elsewhere.example", nil).is(404, "not_found")
}

func TestALogoIsAPictureOfBoundedSizeAndAnUndoFindsTheOldOne(t *testing.T) {
	w := newWorld(t)
	ada := w.key("ada")
	const path = "/v1/tenants/ada/brand/logo"
	w.putPicture(ada, path, pictureOf(t, 1, 1)).is(404, "not_found") // there is no brand of its own
	w.ask(ada, "PUT", "/v1/tenants/ada/brand", object{"name": "Ada's", "primary_color": "#ffffff", "accent_color": "#000000"}).is(200, "")
	whole := pictureOf(t, 30, 30)
	for what, content := range map[string]string{"a script": `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "half a picture": whole[:len(whole)/2],
		"too wide": pictureOf(t, provisioning.MaxLogoPixels+1, 1), "a header alone": whole[:33]} {
		if a := w.putPicture(ada, path, content); a.Status != 422 {
			t.Errorf("%s: %d %s", what, a.Status, a.Text)
		}
	}
	w.putPicture(ada, path, strings.Repeat("x", provisioning.MaxLogoBytes+2)).is(413, "too_large")
	w.putPicture(ada, path, pictureOf(t, 20, 20)).is(200, "")
	w.putPicture(ada, path, pictureOf(t, 21, 21)).is(200, "")
	var audit struct{ Items []postgres.AuditEntry }
	w.ask(ada, "GET", "/v1/tenants/ada/audit?object=brands&limit=1", nil).into(200, &audit)
	w.ask(ada, "POST", "/v1/tenants/ada/audit/"+strconv.FormatInt(audit.Items[0].ID, 10)+"/undo", nil).is(200, "")
	if a := w.ask(ada, "GET", path, nil); a.Text != pictureOf(t, 20, 20) {
		t.Errorf("after the undo the logo is %d bytes: %d", len(a.Text), a.Status)
	}
	w.ask(ada, "DELETE", path, nil).is(204, "")
	w.ask(ada, "GET", path, nil).is(404, "not_found")
}

func TestABrandThatCannotBeIsRefused(t *testing.T) {
	w := newWorld(t)
	for field, value := range map[string]string{"primary_color": "red", "accent_color": "#FFF", "email_address": "Ada <a@b.example>", "name": "", "email_name": "a\u202eb", "domain": "no domain"} {
		body := object{"name": "N", "primary_color": "#ffffff", "accent_color": "#000000"}
		body[field] = value
		if a := w.ask(w.operator, "PUT", "/v1/tenants/ada/brand", body); a.Status != 422 {
			t.Errorf("%s %q: %d %s", field, value, a.Status, a.Text)
		}
	}
}

// putPicture sends a logo.
func (w *world) putPicture(secret, path, content string) answer {
	w.t.Helper()
	request := httptest.NewRequestWithContext(w.ctx, http.MethodPut, path, strings.NewReader(content))
	request.Header.Set("Authorization", "Bearer "+secret)
	request.Header.Set("Content-Type", "application/octet-stream")
	recorder := httptest.NewRecorder()
	w.http.ServeHTTP(recorder, request)
	return answer{Status: recorder.Code, Header: recorder.Header(), Text: recorder.Body.String(), t: w.t}
}
