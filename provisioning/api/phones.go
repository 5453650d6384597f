package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/provisioning"
	"tandem/provisioning/phones"
)

// Resync asks a device, wherever it is registered, to fetch its files again: event is of the NOTIFY (RFC 6665) that it gets. It says at how many
// contacts it was asked.
type Resync func(ctx context.Context, username, domain, event string) (contacts int, err error)

// PhoneInput names a device.
type PhoneInput struct {
	Device string `path:"device" maxLength:"64"`
}

type setPhoneInput struct {
	PhoneInput
	Conditional
	Body PhoneBody
}

// PhoneBody is what is said of a phone.
type PhoneBody struct {
	MAC      string     `json:"mac" minLength:"12" maxLength:"17" example:"00:15:65:aa:bb:cc" doc:"Hardware address; one device on the whole platform has it."`
	Vendor   string     `json:"vendor" enum:"cisco,fanvil,grandstream,poly,snom,yealink"`
	Model    string     `json:"model,omitempty" maxLength:"64" example:"T46U" doc:"One of the vendor's that are listed, or left out."`
	TimeZone string     `json:"time_zone,omitempty" maxLength:"64" example:"Europe/Berlin" doc:"Left out: the tenant's."`
	Codecs   []string   `json:"codecs,omitempty" maxItems:"5" nullable:"false" uniqueItems:"true" enum:"opus,g722,pcma,pcmu,g729" doc:"In order. Left out: g722, pcma, pcmu."`
	Keys     []PhoneKey `json:"keys,omitempty" maxItems:"60" nullable:"false" doc:"By place. Left out: the phone's line on its first key."`
	Note     string     `json:"note,omitempty" maxLength:"2000" example:"Firmware 108.86.0.90 or later." doc:"Stands in the file, for whoever reads it."`
}

// PhoneKey is one key of a phone.
type PhoneKey struct {
	Type  string `json:"type" enum:"line,blf,speed_dial,none" doc:"blf shows whether an extension speaks, and calls it."`
	Label string `json:"label,omitempty" maxLength:"160" example:"Sales"`
	Value string `json:"value,omitempty" maxLength:"32" example:"102" doc:"Of a lamp the extension, of a speed dial what is dialled."`
}

// phoneOutput is a phone. With its first answer comes the URL.
type phoneOutput struct {
	ETag string `header:"ETag" doc:"Names this state of the object; send it in If-Match."`
	Body phoneAnswer
}

type phoneAnswer struct {
	Device       string      `json:"device"`
	Phone        PhoneBody   `json:"phone"`
	SecretMadeAt time.Time   `json:"secret_made_at" doc:"When its URL was made."`
	Files        []string    `json:"files" nullable:"false" doc:"The names that the phone asks for, below its URL."`
	LastFetch    *phoneFetch `json:"last_fetch,omitempty" doc:"Absent: it never fetched a file."`
	URL          string      `json:"url,omitempty" doc:"What the phone is given as its provisioning server. It is shown now and not again; POST .../secret replaces it."`
}

type phoneFetch struct {
	At        time.Time `json:"at"`
	File      string    `json:"file"`
	From      string    `json:"from" doc:"Address."`
	UserAgent string    `json:"user_agent" doc:"What it said of itself; anybody with its URL can say anything."`
	Count     int64     `json:"count"`
}

// vendorBody is a maker of phones.
type vendorBody struct {
	Vendor   string   `json:"vendor"`
	Name     string   `json:"name"`
	Models   []string `json:"models" nullable:"false" doc:"That the files are meant for."`
	Event    string   `json:"event" doc:"Of the NOTIFY by which the phones fetch their files again."`
	Firmware string   `json:"firmware" doc:"What is to be known of it."`
	Tested   string   `json:"tested" example:"untested on hardware"`
}

// untested stands until somebody has gone through the list in docs/phones.md with a phone of the vendor.
const untested = "untested on hardware"

// fileBody is a file as a phone would get it, without its password.
type fileBody struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Secret      bool   `json:"secret" doc:"It holds the password, which is not shown here."`
	Body        string `json:"body"`
}

// phones are devices that provision themselves.
func (a *API) phones() {
	const base = "/v1/tenants/{tenant}/devices/{device}/provisioning"
	tags := []string{"phones"}
	Add(a, DevicesRead, huma.Operation{OperationID: "list-phone-vendors", Method: http.MethodGet, Path: "/v1/phone-vendors", Summary: "List the vendors and models of phones that are known", Tags: tags},
		func(context.Context, *struct{}) (*PageOutput[vendorBody], error) {
			page := PageBody[vendorBody]{Items: []vendorBody{}}
			for _, v := range phones.Vendors() {
				page.Items = append(page.Items, vendorBody{Vendor: string(v.Vendor), Name: v.Name, Models: v.Models, Event: v.Event, Firmware: v.Firmware, Tested: untested})
			}
			return &PageOutput[vendorBody]{Body: page}, nil
		})
	Add(a, DevicesRead, huma.Operation{OperationID: "get-device-provisioning", Method: http.MethodGet, Path: base, Summary: "Show what phone a device is, and when it fetched its files", Tags: tags},
		func(ctx context.Context, in *PhoneInput) (*phoneOutput, error) {
			p, err := a.Service.Phone(ctx, TenantOf(ctx), in.Device)
			if err != nil {
				return nil, err
			}
			return phoneOf(p, ""), nil
		})
	Add(a, DevicesWrite, huma.Operation{OperationID: "set-device-provisioning", Method: http.MethodPut, Path: base, Summary: "Make a device a phone that provisions itself, or change it",
		Description: "The first time the answer has the URL that the phone is given. The phone gets a password of its own with its first fetch; whatever registered as the device before cannot from then on.",
		Tags:        tags}, a.setPhone)
	Add(a, DevicesWrite, huma.Operation{OperationID: "delete-device-provisioning", Method: http.MethodDelete, Path: base, Summary: "Let a phone fetch nothing any more",
		Description: "The device stays, with its password.", Tags: tags},
		func(ctx context.Context, in *PhoneInput) (*None, error) {
			if _, err := a.Service.Device(ctx, TenantOf(ctx), in.Device); err != nil {
				return nil, err
			}
			return nil, a.Service.RemovePhone(ctx, TenantOf(ctx), in.Device)
		})
	Add(a, DevicesWrite, huma.Operation{OperationID: "rotate-device-provisioning-secret", Method: http.MethodPost, Path: base + "/secret", Summary: "Give a phone a new URL",
		Description: "With the old one nothing is fetched any more, from now on. Its password stays.", Tags: tags}, a.rotatePhone)
	Add(a, DevicesRead, huma.Operation{OperationID: "preview-device-provisioning", Method: http.MethodGet, Path: base + "/files", Summary: "Show the files that a phone would get, without its password", Tags: tags},
		func(ctx context.Context, in *PhoneInput) (*PageOutput[fileBody], error) {
			all, err := a.Service.PreviewPhone(ctx, TenantOf(ctx), in.Device)
			if err != nil {
				return nil, err
			}
			page := PageBody[fileBody]{Items: []fileBody{}}
			for _, f := range all {
				page.Items = append(page.Items, fileBody(f))
			}
			return &PageOutput[fileBody]{Body: page}, nil
		})
	Add(a, DevicesWrite, huma.Operation{OperationID: "resync-device", Method: http.MethodPost, Path: base + "/resync", Summary: "Ask a phone to fetch its files again",
		Description: "It is asked at every contact that it has registered. Whether it did shows in last_fetch.", Tags: tags, DefaultStatus: http.StatusAccepted}, a.resyncPhone)
}

// phoneOf makes the answer. Its tag is of what can be set: a fetch is no edit.
func phoneOf(p provisioning.Phone, url string) *phoneOutput {
	out := &phoneOutput{ETag: phoneTag(p), Body: phoneAnswer{Device: p.DeviceID, Phone: phoneBody(p), SecretMadeAt: p.SecretMadeAt, Files: p.Files, URL: url}}
	if f := p.LastFetch; f != nil {
		out.Body.LastFetch = &phoneFetch{At: f.At, File: f.File, From: f.From, UserAgent: f.UserAgent, Count: f.Count}
	}
	return out
}

func phoneTag(p provisioning.Phone) string { return Tag(phoneBody(p)) }

func phoneBody(p provisioning.Phone) PhoneBody {
	b := PhoneBody{MAC: p.MAC, Vendor: p.Vendor, Model: p.Model, TimeZone: p.TimeZone, Codecs: p.Codecs, Note: p.Note}
	for _, k := range p.Keys {
		b.Keys = append(b.Keys, PhoneKey{Type: string(k.Type), Label: k.Label, Value: k.Value})
	}
	return b
}

func (a *API) setPhone(ctx context.Context, in *setPhoneInput) (*phoneOutput, error) {
	b := in.Body
	n := provisioning.NewPhone{MAC: b.MAC, Vendor: b.Vendor, Model: b.Model, TimeZone: b.TimeZone, Codecs: b.Codecs, Note: b.Note}
	for _, k := range b.Keys {
		n.Keys = append(n.Keys, phones.Key{Type: phones.KeyType(k.Type), Label: k.Label, Value: k.Value})
	}
	p, url, err := a.Service.SetPhone(ctx, TenantOf(ctx), in.Device, n, func(had *provisioning.Phone) bool {
		if had == nil {
			return in.Holds(nil)
		}
		return in.Holds(phoneBody(*had))
	})
	if err != nil {
		return nil, err
	}
	return phoneOf(p, url), nil
}

func (a *API) rotatePhone(ctx context.Context, in *PhoneInput) (*struct {
	Body struct {
		URL string `json:"url" doc:"It is shown now and not again."`
	}
}, error) {
	url, err := a.Service.RotatePhoneSecret(ctx, TenantOf(ctx), in.Device)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			URL string `json:"url" doc:"It is shown now and not again."`
		}
	}{}
	out.Body.URL = url
	return out, nil
}

// resyncBody says how many contacts were asked.
type resyncBody struct {
	Contacts int `json:"contacts" example:"1"`
}

func (a *API) resyncPhone(ctx context.Context, in *PhoneInput) (*struct{ Body resyncBody }, error) {
	username, domain, event, err := a.Service.PhoneEvent(ctx, TenantOf(ctx), in.Device)
	if err != nil {
		return nil, err
	}
	if a.Resync == nil {
		return nil, Refuse(http.StatusServiceUnavailable, "no_edge", "This worker reaches no edge.")
	}
	contacts, err := a.Resync(ctx, username, domain, event)
	if err != nil {
		a.Log.WarnContext(ctx, "a phone could not be asked to fetch its files again", slog.String("tenant_id", TenantOf(ctx)), slog.Any("error", err))
		return nil, Refuse(http.StatusServiceUnavailable, "edge_away", "No edge can be reached at the moment. Try again shortly.")
	}
	if contacts == 0 {
		return nil, Refuse(http.StatusConflict, "not_registered", "The phone is registered nowhere. It fetches its files when it starts.")
	}
	return &struct{ Body resyncBody }{resyncBody{contacts}}, nil
}
