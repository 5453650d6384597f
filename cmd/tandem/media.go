package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"tandem/media"
	"tandem/provisioning"
	rest "tandem/provisioning/client"
)

// mediaCommands look after a tenant's prompts, greetings and music.
type mediaCommands struct {
	List   mediaListCommand   `cmd:"" help:"List prompts, greetings and music."`
	Add    mediaAddCommand    `cmd:"" help:"Bring a sound: a WAV file of one channel, 8 or 16 kHz, PCM of 16 bits, A-law or u-law."`
	Sound  mediaSoundCommand  `cmd:"" help:"Give one another sound: what plays it plays that from then on."`
	Get    mediaGetCommand    `cmd:"" help:"Write the sound into a file."`
	Rename mediaRenameCommand `cmd:"" help:"Give one that nothing plays another name or language."`
	Uses   mediaUsesCommand   `cmd:"" help:"List what plays one."`
	Remove mediaRemoveCommand `cmd:"" help:"Remove one that nothing plays."`
}

// mediaOfTenant names a tenant.
type mediaOfTenant struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
}

// mediaArguments name one.
type mediaArguments struct {
	mediaOfTenant
	Media string `arg:"" help:"Its id, as list shows it."`
}

// mediaListCommand lists.
type mediaListCommand struct {
	mediaOfTenant
	Kind string `enum:",prompt,greeting,music" default:"" help:"Those of a kind: prompt, greeting or music."`
	Name string `help:"Those of a name."`
}

// Run lists.
func (c *mediaListCommand) Run(ctx context.Context) error {
	const atOnce = 200
	params := rest.ListMediaParams{Limit: atOnce, Kind: rest.ListMediaParamsKind(c.Kind), Name: c.Name}
	var rows [][]string
	for {
		page, err := c.api().ListMedia(ctx, c.Tenant, params)
		if done, err := told(c.client, page, err); done {
			return err
		}
		for _, m := range page.Body.Items {
			rows = append(rows, []string{m.ID, m.Name, m.Language, string(m.Kind), length(m.LengthMs), fmt.Sprintf("%s %d Hz", m.Encoding, m.Rate)})
		}
		if params.Cursor = page.Body.Next; params.Cursor == "" {
			return table("ID NAME LANGUAGE KIND LENGTH SOUND", rows)
		}
	}
}

func length(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(100 * time.Millisecond).String()
}

// soundFile reads a file that is to be brought.
func soundFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sound, err := io.ReadAll(io.LimitReader(file, media.MaxUploadBytes+1))
	if err == nil && len(sound) > media.MaxUploadBytes {
		err = fmt.Errorf("%s is longer than %d bytes", path, media.MaxUploadBytes)
	}
	return sound, err
}

// brought tells of a sound that has been taken.
func (c mediaOfTenant) brought(m *rest.Answer[rest.MediaRow], err error) error {
	if done, err := told(c.client, m, err); done {
		return err
	}
	fmt.Printf("%s plays %s as %s.\n", plain(m.Body.Name), length(m.Body.LengthMs), plain(m.Body.ID))
	return nil
}

// mediaAddCommand brings a sound.
type mediaAddCommand struct {
	mediaOfTenant
	Name     string `arg:"" help:"By which flows play it: menu/main."`
	File     string `arg:"" type:"existingfile" help:"WAV file."`
	Language string `help:"Language, such as de or de-AT; without one it is played in any."`
	Kind     string `enum:"prompt,greeting,music" default:"prompt" help:"prompt, greeting or music."`
}

// Run brings it.
func (c *mediaAddCommand) Run(ctx context.Context) error {
	sound, err := soundFile(c.File)
	if err != nil {
		return err
	}
	return c.brought(c.api().AddMedia(ctx, c.Tenant, rest.AddMediaParams{Name: c.Name, Kind: rest.AddMediaParamsKind(c.Kind), Language: c.Language}, sound))
}

// mediaSoundCommand replaces a sound.
type mediaSoundCommand struct {
	mediaArguments
	File string `arg:"" type:"existingfile" help:"WAV file."`
}

// Run replaces it.
func (c *mediaSoundCommand) Run(ctx context.Context) error {
	sound, err := soundFile(c.File)
	if err != nil {
		return err
	}
	return c.brought(c.api().ReplaceMediaSound(ctx, c.Tenant, c.Media, rest.ReplaceMediaSoundParams{}, sound))
}

// mediaGetCommand downloads a sound.
type mediaGetCommand struct {
	mediaArguments
	File string `arg:"" help:"File that is to be made; it must not be there."`
}

// Run downloads.
func (c *mediaGetCommand) Run(ctx context.Context) error {
	const readable = 0o644
	file, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, readable)
	if err != nil {
		return err
	}
	sound, err := c.api().GetMediaSound(ctx, c.Tenant, c.Media)
	if err == nil {
		if _, err = file.Write(sound.Body); err == nil {
			return file.Close()
		}
	}
	_, _ = file.Close(), os.Remove(c.File) // why it is not there is what counts
	return c.refused(err)
}

// mediaRenameCommand renames one.
type mediaRenameCommand struct {
	mediaArguments
	Name     string `arg:"" help:"Its new name."`
	Language string `help:"Its new language; without one it is played in any."`
}

// Run renames.
func (c *mediaRenameCommand) Run(ctx context.Context) error {
	was, err := c.api().GetMedia(ctx, c.Tenant, c.Media, rest.GetMediaParams{})
	if err != nil {
		return c.refused(err)
	}
	m, err := c.api().UpdateMedia(ctx, c.Tenant, c.Media, rest.UpdateMediaParams{}, rest.MediaBody{Name: c.Name, Language: c.Language, Kind: rest.MediaBodyKind(was.Body.Kind)})
	if done, err := told(c.client, m, err); done {
		return err
	}
	fmt.Printf("It is %s now.\n", plain(m.Body.Name))
	return nil
}

// mediaUsesCommand lists what plays one.
type mediaUsesCommand struct{ mediaArguments }

// Run lists.
func (c *mediaUsesCommand) Run(ctx context.Context) error {
	page, err := c.api().ListMediaUses(ctx, c.Tenant, c.Media)
	if done, err := told(c.client, page, err); done {
		return err
	}
	if len(page.Body.Items) == 0 {
		fmt.Println("Nothing plays it.")
	}
	for _, u := range page.Body.Items {
		fmt.Println(plain(provisioning.MediaUse{What: string(u.What), Flow: u.Flow, Path: u.Path, Version: u.Version}.String()))
	}
	return nil
}

// mediaRemoveCommand removes one.
type mediaRemoveCommand struct{ mediaArguments }

// Run removes.
func (c *mediaRemoveCommand) Run(ctx context.Context) error {
	gone, err := c.api().DeleteMedia(ctx, c.Tenant, c.Media, rest.DeleteMediaParams{})
	if done, err := told(c.client, gone, err); done {
		return err
	}
	fmt.Println("It is removed.")
	return nil
}
