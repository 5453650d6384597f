package main

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/postgres"
	"tandem/provisioning"
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

// voicemailRoutes are the paths of boxes and messages.
func (w *worker) voicemailRoutes(router gin.IRoutes, changes gin.IRoutes) {
	router.GET("/v1/tenants/:tenant/voicemail", w.boxesAPI)
	router.GET("/v1/tenants/:tenant/voicemail/:box/messages", w.messagesAPI)
	router.GET("/v1/tenants/:tenant/voicemail/:box/messages/:message", w.messageAPI)
	router.GET("/v1/tenants/:tenant/voicemail/:box/messages/:message/sound", w.soundAPI)
	changes.DELETE("/tenants/:tenant/voicemail/:box/messages/:message", w.deleteMessageAPI)
	changes.POST("/tenants/:tenant/voicemail/:box/messages/:message/heard", w.heardMessageAPI)
	changes.POST("/tenants/:tenant/voicemail/:box/pin", w.pinAPI)
}

// boxesAPI lists a tenant's boxes, one for each user, and counts their messages.
func (w *worker) boxesAPI(c *gin.Context) {
	t := w.source.Current().Tenant(c.Param("tenant"))
	if t == nil {
		problem(c, http.StatusNotFound, "tenant_unknown", "There is no such tenant.")
		return
	}
	w.ofBoxes(c, func(ctx context.Context) error {
		counts, err := w.store.BoxCounts(ctx, t.ID)
		if err != nil {
			return err
		}
		of := map[string]postgres.BoxCount{}
		for _, n := range counts {
			of[n.Box] = n
		}
		boxes := []boxView{}
		for _, u := range t.Users {
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
		rows, err := w.store.Messages(ctx, c.Param("tenant"), box, page)
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
	for _, u := range t.Users {
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
	row, err = w.store.Message(ctx, c.Param("tenant"), box, strings.ReplaceAll(c.Param("message"), ".", "/"))
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

// soundAPI gives the message itself, to programs on this machine alone: there are no keys yet, and a message is private.
func (w *worker) soundAPI(c *gin.Context) {
	if source, err := netip.ParseAddrPort(c.Request.RemoteAddr); err != nil || !source.Addr().Unmap().IsLoopback() {
		problem(c, http.StatusForbidden, "not_from_here", "Messages are given to the worker's own machine alone: run the command there.")
		return
	}
	w.ofBoxes(c, func(ctx context.Context) error {
		_, row, ok, err := w.message(ctx, c)
		switch {
		case !ok:
			return err
		case w.media == nil:
			problem(c, http.StatusServiceUnavailable, "no_media_folder", "This worker has no media folder (TANDEM_MEDIA_DIR).")
		default:
			c.Header("Content-Type", "audio/wav")
			c.File(filepath.Join(w.settings.MediaDir, mediaOf(row)))
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
		if _, err := w.store.DeleteMessage(ctx, c.Param("tenant"), box, row.ID); err != nil {
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
		if _, err := w.store.MarkHeard(ctx, c.Param("tenant"), box, row.ID); err != nil {
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
	var asked struct {
		PIN string `json:"pin"`
	}
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
