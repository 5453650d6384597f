package main

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
)

// usualMessages is how many messages are listed when nobody says how many.
const usualMessages = 50

// messageView is a message as the API shows it.
type messageView struct {
	ID       string     `json:"id"` // the call's id, a dot and a number
	Call     string     `json:"call"`
	From     string     `json:"from,omitempty"` // empty: hidden
	FromName string     `json:"from_name,omitempty"`
	At       time.Time  `json:"at"`
	Seconds  float64    `json:"seconds"`
	HeardAt  *time.Time `json:"heard_at,omitempty"`
	Filed    bool       `json:"filed"` // its sound is kept by its content, and can be fetched
	SHA256   string     `json:"sha256,omitempty"`
	Bytes    int64      `json:"bytes,omitempty"`
}

func viewOfMessage(r postgres.RecordingRow) messageView {
	return messageView{ID: strings.ReplaceAll(r.ID, "/", "."), Call: r.Call, From: r.From, FromName: r.FromName, At: r.At, Seconds: float64(r.LengthMS) / 1000,
		HeardAt: r.HeardAt, Filed: r.Hash != "", SHA256: r.Hash, Bytes: r.Bytes}
}

// boxView is a box with what its lamp shows.
type boxView struct {
	Box       string `json:"box"`
	Name      string `json:"name"`
	Extension string `json:"extension"`
	New       int    `json:"new"`
	Heard     int    `json:"heard"`
}

// boxesBody is a list of boxes.
type boxesBody struct {
	Boxes []boxView `json:"boxes" nullable:"false"`
}

// messagesBody is a page of messages.
type messagesBody struct {
	Messages []messageView `json:"messages" nullable:"false"`
	Next     string        `json:"next,omitempty"`
}

// pinBody is a PIN that a box is to have.
type pinBody struct {
	PIN string `json:"pin" doc:"4 to 10 digits."`
}

// boxBody names a box.
type boxBody struct {
	Box string `json:"box"`
}

// voicemailOperations are about boxes and messages.
func (w *worker) voicemailOperations(a *api.API) {
	tags, base := []string{"voicemail"}, "/v1/tenants/{tenant}/voicemail"
	box := []*huma.Param{api.Parameter("path", "box", "ada", "The box's user, by id or extension.")}
	message := append(box[:1:1], api.Parameter("path", "message", "", "Id of the message."))
	api.AddHandler[api.Nothing, boxesBody](a, api.VoicemailRead, huma.Operation{OperationID: "list-boxes", Method: "GET", Path: base, Summary: "List voicemail boxes", Tags: tags}, w.boxesAPI)
	api.AddHandler[api.Nothing, messagesBody](a, api.VoicemailRead, huma.Operation{OperationID: "list-messages", Method: "GET", Path: base + "/{box}/messages", Summary: "List a box's messages, the newest first", Tags: tags,
		Parameters: append(box[:1:1], api.Parameter("query", "new", "", "Those alone that nobody has heard."), api.Count("limit", "How many."), api.Parameter("query", "cursor", "", "next of the page before."))}, w.messagesAPI)
	api.AddHandler[api.Nothing, messageView](a, api.VoicemailRead, huma.Operation{OperationID: "get-message", Method: "GET", Path: base + "/{box}/messages/{message}", Summary: "Show a message", Tags: tags, Parameters: message}, w.messageAPI)
	api.AddHandler[api.Nothing, api.Nothing](a, api.VoicemailRead, huma.Operation{OperationID: "get-message-sound", Method: "GET", Path: base + "/{box}/messages/{message}/sound", Summary: "Hear a message", Tags: tags, Parameters: message,
		Responses: map[string]*huma.Response{"200": {Description: "The sound.", Content: map[string]*huma.MediaType{"audio/wav": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}}, func(c *gin.Context) { w.soundAPI(c, a) })
	api.AddHandler[api.Nothing, messageView](a, api.VoicemailWrite, huma.Operation{OperationID: "delete-message", Method: "DELETE", Path: base + "/{box}/messages/{message}", Summary: "Delete a message", Tags: tags, Parameters: message}, w.deleteMessageAPI)
	api.AddHandler[api.Nothing, messageView](a, api.VoicemailWrite, huma.Operation{OperationID: "mark-message-heard", Method: "POST", Path: base + "/{box}/messages/{message}/heard", Summary: "Mark a message as heard", Tags: tags, Parameters: message}, w.heardMessageAPI)
	api.AddHandler[pinBody, boxBody](a, api.VoicemailWrite, huma.Operation{OperationID: "set-box-pin", Method: "POST", Path: base + "/{box}/pin", Summary: "Give a box another PIN", Tags: tags, Parameters: box}, w.pinAPI)
}

// boxesAPI lists a tenant's boxes, one for each user, and counts their messages.
func (w *worker) boxesAPI(c *gin.Context) {
	t := w.source.Current().Tenant(c.Param("tenant"))
	if t == nil {
		problem(c, http.StatusNotFound, "tenant_unknown", "There is no such tenant.")
		return
	}
	w.ofBoxes(c, func(ctx context.Context) error {
		counts, err := w.apiStore.BoxCounts(ctx, t.ID)
		if err != nil {
			return err
		}
		of := map[string]postgres.BoxCount{}
		for _, n := range counts {
			of[n.Box] = n
		}
		boxes := []boxView{}
		for _, u := range t.AllUsers() {
			boxes = append(boxes, boxView{Box: u.ID, Name: u.Name, Extension: u.Extension, New: of[u.ID].New, Heard: of[u.ID].Heard})
		}
		c.JSON(http.StatusOK, gin.H{"boxes": boxes})
		return nil
	})
}

// messagesAPI lists the messages of a box, the newest first: limit of them, after a cursor.
func (w *worker) messagesAPI(c *gin.Context) {
	limit, err := strconv.Atoi(c.DefaultQuery("limit", strconv.Itoa(usualMessages)))
	if err != nil || limit < 1 || limit >= postgres.MaxMessages {
		problem(c, http.StatusBadRequest, "limit_out_of_range", "The limit is not within 1 to "+strconv.Itoa(postgres.MaxMessages-1)+".")
		return
	}
	_, fresh := c.GetQuery("new")
	page := postgres.MessagePage{New: fresh, Limit: limit + 1}
	if cursor := c.Query("cursor"); cursor != "" {
		if page.Before, page.ID, err = readCursor(cursor); err != nil {
			problem(c, http.StatusBadRequest, "cursor_invalid", "The cursor is not one that an answer gave as next.")
			return
		}
	}
	box, ok := w.box(c)
	if !ok {
		return
	}
	w.ofBoxes(c, func(ctx context.Context) error {
		rows, err := w.apiStore.Messages(ctx, c.Param("tenant"), box, page)
		if err != nil {
			return err
		}
		answer := gin.H{}
		if len(rows) > limit {
			rows = rows[:limit]
			answer["next"] = cursorAfter(rows[limit-1])
		}
		views := make([]messageView, 0, len(rows))
		for _, r := range rows {
			views = append(views, viewOfMessage(r))
		}
		answer["messages"] = views
		c.JSON(http.StatusOK, answer)
		return nil
	})
}

// cursorAfter names the place behind a message. What is in it is nobody's business.
func cursorAfter(r postgres.RecordingRow) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(r.At.UnixMicro(), 10) + " " + r.ID))
}

var errCursor = errors.New("not a cursor")

func readCursor(text string) (time.Time, string, error) {
	body, err := base64.RawURLEncoding.DecodeString(text)
	at, id, ok := strings.Cut(string(body), " ")
	us, number := strconv.ParseInt(at, 10, 64)
	if err != nil || !ok || id == "" || number != nil {
		return time.Time{}, "", errCursor
	}
	return time.UnixMicro(us), id, nil
}

// box finds the box that a path names, by its user's id or extension; otherwise it has answered.
func (w *worker) box(c *gin.Context) (id string, ok bool) {
	t := w.source.Current().Tenant(c.Param("tenant"))
	if t == nil {
		problem(c, http.StatusNotFound, "tenant_unknown", "There is no such tenant.")
		return "", false
	}
	for _, u := range t.AllUsers() {
		if u.ID == c.Param("box") || u.Extension == c.Param("box") {
			return u.ID, true
		}
	}
	problem(c, http.StatusNotFound, "box_unknown", "The tenant has no user of this id or extension, and so no such box.")
	return "", false
}

// message finds the message that a path names; otherwise it has answered.
func (w *worker) message(ctx context.Context, c *gin.Context) (box string, row postgres.RecordingRow, ok bool, err error) {
	if box, ok = w.box(c); !ok {
		return "", row, false, nil
	}
	row, err = w.apiStore.Message(ctx, c.Param("tenant"), box, strings.ReplaceAll(c.Param("message"), ".", "/"))
	if errors.Is(err, postgres.ErrNotFound) {
		problem(c, http.StatusNotFound, "message_unknown", "The box holds no such message.")
		return box, row, false, nil
	}
	return box, row, err == nil, err
}

func (w *worker) messageAPI(c *gin.Context) {
	w.ofBoxes(c, func(ctx context.Context) error {
		_, row, ok, err := w.message(ctx, c)
		if ok {
			c.JSON(http.StatusOK, viewOfMessage(row))
		}
		return err
	})
}

// soundAPI gives the message itself.
func (w *worker) soundAPI(c *gin.Context, a *api.API) {
	w.ofBoxes(c, func(ctx context.Context) error {
		_, row, ok, err := w.message(ctx, c)
		switch {
		case !ok:
			return err
		case w.media == nil:
			problem(c, http.StatusServiceUnavailable, "no_media_folder", "This worker has no media folder (TANDEM_MEDIA_DIR).")
		default:
			file, opening := os.Open(filepath.Join(w.settings.MediaDir, mediaOf(row)))
			a.SendSound(c, "message.wav", row.At, file, opening)
		}
		return nil
	})
}

func (w *worker) deleteMessageAPI(c *gin.Context) {
	w.ofBoxes(c, func(ctx context.Context) error {
		box, row, ok, err := w.message(ctx, c)
		if !ok {
			return err
		}
		if _, err := w.apiStore.DeleteMessage(ctx, c.Param("tenant"), box, row.ID); err != nil {
			return err
		}
		w.log.InfoContext(ctx, "a message is deleted", slog.String("tenant_id", c.Param("tenant")), slog.String("box", box), slog.String("recording", row.ID))
		c.JSON(http.StatusOK, viewOfMessage(row))
		return nil
	})
}

func (w *worker) heardMessageAPI(c *gin.Context) {
	w.ofBoxes(c, func(ctx context.Context) error {
		box, row, ok, err := w.message(ctx, c)
		if !ok {
			return err
		}
		if _, err := w.apiStore.MarkHeard(ctx, c.Param("tenant"), box, row.ID); err != nil {
			return err
		}
		_, row, ok, err = w.message(ctx, c)
		if ok {
			c.JSON(http.StatusOK, viewOfMessage(row))
		}
		return err
	})
}

// pinAPI gives a box a PIN.
func (w *worker) pinAPI(c *gin.Context) {
	var asked pinBody
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"pin": "digits"}.`)
		return
	}
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		return gin.H{"box": c.Param("box")}, s.SetPIN(ctx, c.Param("tenant"), c.Param("box"), asked.PIN)
	})
}

// ofBoxes answers a question about boxes, and says when what keeps them is away.
func (w *worker) ofBoxes(c *gin.Context, answer func(context.Context) error) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	if err := answer(ctx); err != nil {
		w.log.ErrorContext(ctx, "messages could not be read or changed", slog.String("tenant_id", c.Param("tenant")), slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "postgresql_away", "Messages cannot be read or changed at the moment. Try again shortly.")
	}
}
