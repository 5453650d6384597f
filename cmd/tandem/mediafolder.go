package main

import (
	"cmp"
	"strings"

	"tandem/media"
	"tandem/nodes"
)

// openMedia opens the media folder, if there is to be one.
func (w *worker) openMedia() (err error) {
	if w.settings.MediaDir == "" {
		return nil
	}
	w.media, err = media.Open(w.settings.MediaDir)
	return err
}

// nodeMedia is the media folder as the nodes see it; empty: there is none.
func (w *worker) nodeMedia() string {
	if w.media == nil {
		return ""
	}
	return cmp.Or(w.settings.NodeMediaDir, w.settings.MediaDir)
}

// speech is the engine for text to speech, if the nodes have one.
func (w *worker) speech() nodes.Speech {
	engine, voice, _ := strings.Cut(w.settings.Speech, "/")
	return nodes.Speech{Engine: engine, Voice: voice}
}
