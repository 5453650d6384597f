package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tandem/provisioning/api"
)

// phoneCommands look after phones that provision themselves.
type phoneCommands struct {
	Vendors phoneVendorsCommand `cmd:"" help:"List the vendors and models that are known."`
	Show    phoneShowCommand    `cmd:"" help:"Show what phone a device is, and when it fetched its files."`
	Set     phoneSetCommand     `cmd:"" help:"Make a device a phone that provisions itself, or change it: what is not named stays."`
	Remove  phoneRemoveCommand  `cmd:"" help:"Let a phone fetch nothing any more; the device stays."`
	URL     phoneURLCommand     `cmd:"" name:"new-url" help:"Give a phone a new URL; the old one gives nothing any more."`
	Files   phoneFilesCommand   `cmd:"" help:"Print the files that a phone would get, without its password."`
	Resync  phoneResyncCommand  `cmd:"" help:"Ask a phone to fetch its files again."`
}

// phoneArguments name a device.
type phoneArguments struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
	Device string `arg:"" help:"The device's id."`
}

func (a phoneArguments) path(more string) string {
	return "/v1/tenants/" + url.PathEscape(a.Tenant) + "/devices/" + url.PathEscape(a.Device) + "/provisioning" + more
}

// phoneView is a phone as the API tells of it.
type phoneView struct {
	Device    string        `json:"device"`
	Phone     api.PhoneBody `json:"phone"`
	URL       string        `json:"url"`
	LastFetch *struct {
		At        string `json:"at"`
		File      string `json:"file"`
		From      string `json:"from"`
		UserAgent string `json:"user_agent"`
		Count     int64  `json:"count"`
	} `json:"last_fetch"`
}

func (v phoneView) print() error {
	p := v.Phone
	rows := [][2]string{{"phone", strings.TrimSpace(p.Vendor + " " + p.Model)}, {"mac", p.MAC}, {"time zone", p.TimeZone}, {"codecs", strings.Join(p.Codecs, ", ")}, {"note", p.Note}}
	for i, k := range p.Keys {
		rows = append(rows, [2]string{"key " + strconv.Itoa(i+1), strings.TrimSpace(k.Type + " " + k.Value + " " + k.Label)})
	}
	if f := v.LastFetch; f != nil {
		rows = append(rows, [2]string{"last fetch", fmt.Sprintf("%s %s from %s by %s (%d in all)", f.At, f.File, f.From, f.UserAgent, f.Count)})
	} else {
		rows = append(rows, [2]string{"last fetch", "never"})
	}
	fmt.Println(plain(v.Device))
	for _, r := range rows {
		if r[1] != "" {
			fmt.Printf("  %-11s %s\n", r[0], plain(r[1]))
		}
	}
	if v.URL != "" {
		fmt.Printf("Give the phone this URL. It is not shown again:\n%s\n", plain(v.URL))
	}
	return nil
}

// phoneVendorsCommand lists vendors.
type phoneVendorsCommand struct{ client }

// Run lists.
func (c *phoneVendorsCommand) Run(ctx context.Context) error {
	var answer struct {
		Items []struct {
			Vendor, Firmware, Tested string
			Models                   []string
		}
	}
	if _, done, err := c.ask(ctx, http.MethodGet, "/v1/phone-vendors", nil, &answer); err != nil || done {
		return err
	}
	var rows [][]string
	for _, v := range answer.Items {
		rows = append(rows, []string{v.Vendor, strings.Join(v.Models, ", "), v.Firmware, v.Tested})
	}
	return table("VENDOR MODELS FIRMWARE TESTED", rows)
}

// phoneShowCommand shows a phone.
type phoneShowCommand struct{ phoneArguments }

// Run shows.
func (c *phoneShowCommand) Run(ctx context.Context) error {
	var v phoneView
	if _, done, err := c.ask(ctx, http.MethodGet, c.path(""), nil, &v); err != nil || done {
		return err
	}
	return v.print()
}

// phoneSetCommand sets a phone up.
type phoneSetCommand struct {
	phoneArguments
	MAC      string   `name:"mac" help:"Hardware address; needed the first time."`
	Vendor   string   `help:"One of those that 'tandem phone vendors' lists; needed the first time."`
	Model    *string  `help:"One of the vendor's."`
	TimeZone *string  `help:"Such as Europe/Berlin; empty: the tenant's."`
	Codec    []string `help:"In order; all of them anew."`
	Keys     []string `name:"phone-key" sep:"none" help:"In order, all of them anew: line, none, blf:102:Sales or speed_dial:+493012345:Taxi."`
	Note     *string  `help:"Stands in the file, for whoever reads it."`
}

// Run sets it.
func (c *phoneSetCommand) Run(ctx context.Context) error {
	quiet := c.client
	quiet.JSON = false
	var had phoneView
	status, _, err := quiet.ask(ctx, http.MethodGet, c.path(""), nil, &had)
	if err != nil && status != http.StatusNotFound {
		return err
	}
	body := had.Phone
	if err := c.onto(&body); err != nil {
		return err
	}
	var v phoneView
	if _, done, err := c.ask(ctx, http.MethodPut, c.path(""), body, &v); err != nil || done {
		return err
	}
	return v.print()
}

// onto puts what was named onto what was there.
func (c *phoneSetCommand) onto(b *api.PhoneBody) error {
	for to, from := range map[*string]*string{&b.Model: c.Model, &b.TimeZone: c.TimeZone, &b.Note: c.Note} {
		if from != nil {
			*to = *from
		}
	}
	if c.MAC != "" {
		b.MAC = c.MAC
	}
	if c.Vendor != "" {
		b.Vendor = c.Vendor
	}
	if b.MAC == "" || b.Vendor == "" {
		return errors.New("the device is no phone yet: say --mac and --vendor")
	}
	if c.Codec != nil {
		b.Codecs = c.Codec
	}
	if c.Keys != nil {
		b.Keys = nil
	}
	for _, text := range c.Keys {
		kind, rest, _ := strings.Cut(text, ":")
		value, label, _ := strings.Cut(rest, ":")
		b.Keys = append(b.Keys, api.PhoneKey{Type: kind, Value: value, Label: label})
	}
	return nil
}

// phoneRemoveCommand removes what makes a device a phone.
type phoneRemoveCommand struct{ phoneArguments }

// Run removes.
func (c *phoneRemoveCommand) Run(ctx context.Context) error {
	_, done, err := c.ask(ctx, http.MethodDelete, c.path(""), nil, new(json.RawMessage))
	if err == nil && !done {
		fmt.Printf("The device %s fetches nothing any more.\n", plain(c.Device))
	}
	return err
}

// phoneURLCommand replaces the URL.
type phoneURLCommand struct{ phoneArguments }

// Run replaces it.
func (c *phoneURLCommand) Run(ctx context.Context) error {
	var answer struct{ URL string }
	if _, done, err := c.ask(ctx, http.MethodPost, c.path("/secret"), nil, &answer); err != nil || done {
		return err
	}
	fmt.Printf("The old URL gives nothing any more. Give the phone this one; it is not shown again:\n%s\n", plain(answer.URL))
	return nil
}

// phoneFilesCommand prints the files.
type phoneFilesCommand struct{ phoneArguments }

// Run prints them.
func (c *phoneFilesCommand) Run(ctx context.Context) error {
	var answer struct{ Items []struct{ Name, Body string } }
	if _, done, err := c.ask(ctx, http.MethodGet, c.path("/files"), nil, &answer); err != nil || done {
		return err
	}
	for _, f := range answer.Items {
		fmt.Printf("--- %s\n", plain(f.Name))
		for line := range strings.Lines(f.Body) {
			fmt.Println(plain(strings.TrimSuffix(line, "\n")))
		}
	}
	return nil
}

// phoneResyncCommand asks a phone.
type phoneResyncCommand struct{ phoneArguments }

// Run asks.
func (c *phoneResyncCommand) Run(ctx context.Context) error {
	var answer struct{ Contacts int }
	if _, done, err := c.ask(ctx, http.MethodPost, c.path("/resync"), nil, &answer); err != nil || done {
		return err
	}
	fmt.Printf("It was asked at %s. 'tandem phone show' tells when it has fetched.\n", howMany(answer.Contacts, "contact", "contacts"))
	return nil
}
