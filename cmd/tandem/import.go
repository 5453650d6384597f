package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	rest "tandem/provisioning/client"
	"tandem/provisioning/importing"
	"tandem/provisioning/plan"
)

// importCommands read what other systems export.
type importCommands struct {
	FusionPBX importFusionCommand `cmd:"" name:"fusionpbx" help:"From FusionPBX: CSV downloads, SQL dumps, dialplans in XML."`
	Kazoo     importKazooCommand  `cmd:"" help:"From Kazoo: JSON documents of an account."`
	CSV       importCSVCommand    `cmd:"" name:"csv" help:"From sheets of users, devices and numbers (docs/import.md)."`
}

type importFusionCommand struct{ importCommand }

type importKazooCommand struct{ importCommand }

type importCSVCommand struct{ importCommand }

// importCommand is what the sources have in common.
type importCommand struct {
	client
	From    string `arg:"" help:"The file or folder that was exported." type:"path"`
	Tenant  string `required:"" help:"The tenant's id."`
	Country string `help:"Whose way of writing numbers the source uses, such as DE."`
	Domain  string `help:"FusionPBX: which domain of several."`
	Apply   bool   `help:"Apply it. Otherwise it is only said what would be done."`
	Out     string `help:"Write the tenant's file here, to look at it, change it and apply it." type:"path"`
	Report  string `help:"Write the report here as CSV." type:"path"`
	Comment string `help:"Is kept with the version." default:"Imported."`
	Again   bool   `hidden:"" help:"Apply it although the tenant has changed in the meantime."`

	ReplaceDrafts bool `help:"Drafts that are not published may be lost."`
}

// Run imports from FusionPBX.
func (c *importFusionCommand) Run(ctx context.Context) error {
	return c.run(ctx, importing.FusionPBX)
}

// Run imports from Kazoo.
func (c *importKazooCommand) Run(ctx context.Context) error { return c.run(ctx, importing.Kazoo) }

// Run imports sheets.
func (c *importCSVCommand) Run(ctx context.Context) error { return c.run(ctx, importing.CSV) }

func (c *importCommand) run(ctx context.Context, read func([]importing.File, importing.Options) (importing.Result, error)) error {
	files, err := filesBelow(c.From)
	if err != nil {
		return err
	}
	result, err := read(files, importing.Options{Country: c.Country, Domain: c.Domain, Today: time.Now().UTC()})
	if err != nil {
		return err
	}
	exported, err := c.planning().ExportTenant(ctx, c.Tenant, rest.ExportTenantParams{Format: "json"})
	if err != nil {
		return c.refused(err)
	}
	current, err := plan.Read(exported.Body)
	if err != nil {
		return err
	}
	wanted, report := result.Onto(current)
	file, err := wanted.Write("Imported from " + filepath.Base(c.From) + ". What the tenant has besides is in it, too.")
	if err != nil {
		return err
	}
	if err := c.keep(file, report); err != nil {
		return err
	}
	return c.plan(ctx, string(file), report)
}

// keep writes the files that were asked for.
func (c *importCommand) keep(file []byte, report importing.Report) error {
	const ownersAlone = 0o600 // names and numbers of people are in them
	if c.Out != "" {
		if err := os.WriteFile(c.Out, file, ownersAlone); err != nil {
			return err
		}
	}
	if c.Report != "" {
		return os.WriteFile(c.Report, []byte(report.CSV()), ownersAlone)
	}
	return nil
}

func (c *importCommand) plan(ctx context.Context, file string, report importing.Report) error {
	quiet := c.client
	quiet.JSON = false
	s := savedPlan{Tenant: c.Tenant, File: file}
	p, err := s.plan(ctx, quiet)
	if c.JSON && !c.Apply && err == nil {
		text, err := json.Marshal(map[string]any{"report": report, "plan": p})
		if err != nil {
			return err
		}
		return printJSON(text)
	}
	if !c.JSON {
		for _, line := range report.Lines() {
			fmt.Println(plain(line))
		}
		fmt.Println()
	}
	if err != nil {
		return err
	}
	if !c.JSON {
		printPlan(p, c.Tenant)
	}
	switch {
	case !c.Apply && len(p.Changes) > 0:
		fmt.Println("Nothing was changed. Say --apply to apply it.")
		return differs
	case !c.Apply || len(p.Changes) == 0:
		return nil
	}
	apply := applyCommand{client: c.client, Again: c.Again, ReplaceDrafts: c.ReplaceDrafts, Comment: c.Comment}
	return apply.apply(ctx, s)
}

// filesBelow reads a file, or all files of a folder, within bounds and in the order of their names. Links are not followed.
func filesBelow(root string) (files []importing.File, err error) {
	total := 0
	add := func(path, name string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if total += int(min(info.Size(), importing.MaxBytes+1)); total > importing.MaxBytes {
			return fmt.Errorf("the files are more than %d bytes", importing.MaxBytes)
		}
		if len(files) == importing.MaxFiles {
			return fmt.Errorf("there are more than %d files", importing.MaxFiles)
		}
		text, err := os.ReadFile(path)
		if err == nil {
			files = append(files, importing.File{Name: name, Text: text})
		}
		return err
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		err = add(root, filepath.Base(root))
		return files, err
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return add(path, filepath.ToSlash(name))
	})
	if err == nil && len(files) == 0 {
		err = errors.New("there are no files in " + root)
	}
	slices.SortFunc(files, func(a, b importing.File) int { return strings.Compare(a.Name, b.Name) })
	return files, err
}
