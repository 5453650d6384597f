package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	rest "tandem/provisioning/client"
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

func printPhone(v rest.PhoneAnswer) {
	p := v.Phone
	rows := [][2]string{{"phone", strings.TrimSpace(string(p.Vendor) + " " + p.Model)}, {"mac", p.Mac}, {"time zone", p.TimeZone}, {"codecs", joined(p.Codecs)}, {"note", p.Note}}
	for i, k := range p.Keys {
		rows = append(rows, [2]string{"key " + strconv.Itoa(i+1), strings.TrimSpace(string(k.Type) + " " + k.Value + " " + k.Label)})
	}
	if f := v.LastFetch; f != nil {
		rows = append(rows, [2]string{"last fetch", fmt.Sprintf("%s %s from %s by %s (%d in all)", f.At.Format(time.RFC3339Nano), f.File, f.From, f.UserAgent, f.Count)})
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
}

// joined is a list of words for one cell.
func joined[S ~string](all []S) string {
	words := make([]string, 0, len(all))
	for _, one := range all {
		words = append(words, string(one))
	}
	return strings.Join(words, ", ")
}

// phoneVendorsCommand lists vendors.
type phoneVendorsCommand struct{ client }

// Run lists.
func (c *phoneVendorsCommand) Run(ctx context.Context) error {
	answer, err := c.api().ListPhoneVendors(ctx)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	var rows [][]string
	for _, v := range answer.Body.Items {
		rows = append(rows, []string{v.Vendor, strings.Join(v.Models, ", "), v.Firmware, v.Tested})
	}
	return table("VENDOR MODELS FIRMWARE TESTED", rows)
}

// phoneShowCommand shows a phone.
type phoneShowCommand struct{ phoneArguments }

// Run shows.
func (c *phoneShowCommand) Run(ctx context.Context) error {
	answer, err := c.api().GetDeviceProvisioning(ctx, c.Tenant, c.Device)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	printPhone(answer.Body)
	return nil
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
	var body rest.PhoneBody
	had, err := c.api().GetDeviceProvisioning(ctx, c.Tenant, c.Device)
	switch no := rest.Refused(err); {
	case err == nil:
		body = had.Body.Phone
	case no == nil || no.Status != http.StatusNotFound:
		return c.refused(err)
	}
	if err := c.onto(&body); err != nil {
		return err
	}
	answer, err := c.api().SetDeviceProvisioning(ctx, c.Tenant, c.Device, rest.SetDeviceProvisioningParams{}, body)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	printPhone(answer.Body)
	return nil
}

// onto puts what was named onto what was there.
func (c *phoneSetCommand) onto(b *rest.PhoneBody) error {
	for to, from := range map[*string]*string{&b.Model: c.Model, &b.TimeZone: c.TimeZone, &b.Note: c.Note} {
		if from != nil {
			*to = *from
		}
	}
	if c.MAC != "" {
		b.Mac = c.MAC
	}
	if c.Vendor != "" {
		b.Vendor = rest.PhoneBodyVendor(c.Vendor)
	}
	if b.Mac == "" || b.Vendor == "" {
		return errors.New("the device is no phone yet: say --mac and --vendor")
	}
	if c.Codec != nil {
		b.Codecs = nil
	}
	for _, codec := range c.Codec {
		b.Codecs = append(b.Codecs, rest.PhoneBodyCodecs(codec))
	}
	if c.Keys != nil {
		b.Keys = nil
	}
	for _, text := range c.Keys {
		kind, more, _ := strings.Cut(text, ":")
		value, label, _ := strings.Cut(more, ":")
		b.Keys = append(b.Keys, rest.PhoneKey{Type: rest.PhoneKeyType(kind), Value: value, Label: label})
	}
	return nil
}

// phoneRemoveCommand removes what makes a device a phone.
type phoneRemoveCommand struct{ phoneArguments }

// Run removes.
func (c *phoneRemoveCommand) Run(ctx context.Context) error {
	answer, err := c.api().DeleteDeviceProvisioning(ctx, c.Tenant, c.Device)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Printf("The device %s fetches nothing any more.\n", plain(c.Device))
	return nil
}

// phoneURLCommand replaces the URL.
type phoneURLCommand struct{ phoneArguments }

// Run replaces it.
func (c *phoneURLCommand) Run(ctx context.Context) error {
	answer, err := c.api().RotateDeviceProvisioningSecret(ctx, c.Tenant, c.Device)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Printf("The old URL gives nothing any more. Give the phone this one; it is not shown again:\n%s\n", plain(answer.Body.URL))
	return nil
}

// phoneFilesCommand prints the files.
type phoneFilesCommand struct{ phoneArguments }

// Run prints them.
func (c *phoneFilesCommand) Run(ctx context.Context) error {
	answer, err := c.api().PreviewDeviceProvisioning(ctx, c.Tenant, c.Device)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	for _, f := range answer.Body.Items {
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
	answer, err := c.api().ResyncDevice(ctx, c.Tenant, c.Device)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Printf("It was asked at %s. 'tandem phone show' tells when it has fetched.\n", howMany(int(answer.Body.Contacts), "contact", "contacts"))
	return nil
}
