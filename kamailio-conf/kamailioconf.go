// Package kamailioconf holds the configuration of the signalling edge, Kamailio 5.6, and writes it into a folder with
// the values of one edge.
//
// It guarantees that what Write has written is accepted by Kamailio: a value that could end a string or a line of the
// configuration, or that Kamailio would read differently from Go, is refused with its name.
//
// It refuses to start anything: package stack does that for tests and the demo, a container's command elsewhere. It
// knows no media node and no trunk: those come to the edge as edge.config.v1 (package messages).
//
//	values.cfg.tmpl --Values--> values.cfg --\
//	kamailio.cfg, requests.cfg, ... ----------+--> the folder, and the path of its kamailio.cfg
package kamailioconf

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"tandem/messages"
)

//go:embed *.cfg values.cfg.tmpl
var files embed.FS

// mainFile is the one that Kamailio is started with; it includes the others.
const mainFile = "kamailio.cfg"

// Bounds of the edge that no operator needs to change.
const (
	contactsOfUser = 10  // contacts of one address of record; the oldest yields
	contactBytes   = 900 // of a Contact header; Kamailio's own limit for a URI is 1024, alias included
	pulsePatience  = 3   // seconds without our pulse until the broker counts as away
	nodesTried     = 4   // of a decision's list
	// tick is how often the edge looks for questions that nobody has answered. Each is asked again at most one tick late.
	tick = 5 * time.Millisecond
	// ticks is where counting them begins anew. No question waits that long.
	ticks = 1_000_000
	// unheeded is how many questions the edge remembers until it is time to ask them again. Beyond it the oldest are asked
	// once: so many within 30 ms mean a flood, and their texts take shared memory.
	unheeded        = 512
	registerDefault = 3600

	// fences is how many media nodes an edge refuses at one time: more than a platform has.
	fences = 256
	// looks times lookPatience is how long a node has for an answer to an OPTIONS.
	looks        = 3
	lookPatience = 230 * time.Millisecond
	// sweptATick and anewATick bound what an edge does within a tick about the calls of a dead node: 3,200 of them are ended within a
	// second, and workers are asked about 800 anew.
	sweptATick = 16
	anewATick  = 4
	// gone is the code by which an edge ends a branch in a dead node's place; it never leaves the edge.
	gone = 599
	// nodeSilent is how long a node may be silent to a request within a dialog, and nodeChanges how long it may take over a re-INVITE.
	nodeSilent  = 2 * time.Second
	nodeChanges = 10 * time.Second
	// byes is how often a BYE is sent to a silent node: a node is found dead and fenced within the time that this takes.
	byes = 3
	// retry is when a phone may ask again for what a dead node cannot do, in seconds.
	retry = 2
	// registerLook is how often the edge looks which registrations at carriers are due, in seconds.
	registerLook = 2
	// renew is for how long a registration is asked for where a trunk does not say: tenants.DefaultRenew.
	renew = 600
)

// Write puts the configuration of one edge into the folder dir, which exists, and returns the path to start Kamailio
// with. Files are readable by their owner alone: they hold the passwords of the broker and the database. Kamailio's
// control socket will be the file "control" in the same folder.
func Write(dir string, v Values) (path string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("kamailioconf: %w", err)
	}
	r, err := v.rendered(dir)
	if err != nil {
		return "", fmt.Errorf("kamailioconf: %w", err)
	}
	var values strings.Builder
	t, err := template.New("").Option("missingkey=error").ParseFS(files, "values.cfg.tmpl")
	if err == nil {
		err = t.ExecuteTemplate(&values, "values.cfg.tmpl", r)
	}
	if err != nil {
		return "", fmt.Errorf("kamailioconf: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "values.cfg"), []byte(values.String()), 0o600); err != nil {
		return "", fmt.Errorf("kamailioconf: %w", err)
	}
	if err := v.writeCertificate(dir); err != nil {
		return "", fmt.Errorf("kamailioconf: %w", err)
	}
	if err := writeTables(dir); err != nil {
		return "", fmt.Errorf("kamailioconf: %w", err)
	}
	entries, err := files.ReadDir(".")
	if err != nil {
		return "", fmt.Errorf("kamailioconf: %w", err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".cfg" {
			continue
		}
		text, err := files.ReadFile(e.Name())
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, e.Name()), absolute(text, dir), 0o600)
		}
		if err != nil {
			return "", fmt.Errorf("kamailioconf: %w", err)
		}
	}
	return filepath.Join(dir, mainFile), nil
}

// writeTables writes the empty table with which the uac module starts (registrar.cfg), in the form of module db_text.
func writeTables(dir string) error {
	tables := filepath.Join(dir, "dbtext")
	if err := os.MkdirAll(tables, 0o700); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"version": "id(int,auto) table_name(string) table_version(int) \n0:uacreg:5\n",
		"uacreg": "id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string) r_domain(string) realm(string) auth_username(string) " +
			"auth_password(string) auth_ha1(string) auth_proxy(string) expires(int) flags(int) reg_delay(int) contact_addr(string) socket(string) \n",
	} {
		if err := os.WriteFile(filepath.Join(tables, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// absolute names the included files by their whole path: Kamailio looks for a bare name in its working folder first, so
// that a stray values.cfg there would be taken for ours.
func absolute(text []byte, dir string) []byte {
	return bytes.ReplaceAll(text, []byte(`include_file "`), []byte(`include_file "`+dir+"/"))
}

// bounds are those of package messages: the edge must not write what a worker would refuse.
func bounds() map[string]int {
	return map[string]int{
		"TANDEM_URI_BYTES":      messages.MaxURI,
		"TANDEM_NAME_BYTES":     messages.MaxName,
		"TANDEM_HEADERS":        messages.MaxHeaders,
		"TANDEM_IDENTITY_BYTES": 4 * messages.MaxURI,
		"TANDEM_SDP_BYTES":      messages.MaxSDP,
		"TANDEM_CONTACTS":       contactsOfUser,
		"TANDEM_CONTACTS_BOUND": contactsOfUser + 1,
		"TANDEM_CONTACT_BYTES":  contactBytes,
		"TANDEM_PULSE_PATIENCE": pulsePatience,
		"TANDEM_NODES_TRIED":    nodesTried,
		"TANDEM_REGISTER_LOOK":  registerLook,
		"TANDEM_TICKS":          ticks,
		"TANDEM_TICKS_A_SECOND": int(time.Second / tick),
		"TANDEM_FENCES":         fences,
		"TANDEM_LOOKS":          looks,
		"TANDEM_LOOK":           int(lookPatience / tick),
		"TANDEM_SWEPT":          sweptATick,
		"TANDEM_ANEW":           anewATick,
		"TANDEM_NODE_SILENT":    int(nodeSilent.Milliseconds()),
		"TANDEM_NODE_CHANGES":   int(nodeChanges.Milliseconds()),
		"TANDEM_BYES":           byes,
	}
}
