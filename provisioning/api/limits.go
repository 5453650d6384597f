package api

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"
)

// Limits are how often one caller may ask one worker.
type Limits struct {
	PerSecond float64 // in the long run
	Burst     int     // at once
}

// The usual limits, and how many callers' are remembered: the table is emptied of those that have their whole burst again.
const (
	usualPerSecond = 100
	usualBurst     = 500
	maxLimiters    = 10_000
)

func (l Limits) orUsual() Limits {
	if l.PerSecond <= 0 || l.Burst <= 0 {
		return Limits{PerSecond: usualPerSecond, Burst: usualBurst}
	}
	return l
}

// limiters are the callers' limits; the zero value needs its limits set.
type limiters struct {
	limits Limits
	mu     sync.Mutex
	of     map[string]*rate.Limiter
}

// take uses one request up, and says how many are left.
func (l *limiters) take(who string, now time.Time) (ok bool, left float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.of) >= maxLimiters {
		for name, one := range l.of {
			if one.TokensAt(now) >= float64(l.limits.Burst) {
				delete(l.of, name)
			}
		}
		if len(l.of) >= maxLimiters {
			clear(l.of) // so many at once: better to forget them than to refuse new ones
		}
	}
	one := l.of[who]
	if one == nil {
		if l.of == nil {
			l.of = map[string]*rate.Limiter{}
		}
		one = rate.NewLimiter(rate.Limit(l.limits.PerSecond), l.limits.Burst)
		l.of[who] = one
	}
	ok = one.AllowN(now, 1)
	return ok, max(one.TokensAt(now), 0)
}

// limit refuses a caller who asks too often, with 429, and tells everybody how much he has left.
func (a *API) limit(ctx huma.Context, next func(huma.Context)) {
	caller := CallerOf(ctx.Context())
	who := caller.Actor
	if who == "" {
		who = "address " + caller.Address
	}
	ok, left := a.limiters.take(who, time.Now())
	limits := a.limiters.limits
	ctx.SetHeader("RateLimit-Limit", strconv.Itoa(limits.Burst))
	ctx.SetHeader("RateLimit-Remaining", strconv.Itoa(int(left)))
	ctx.SetHeader("RateLimit-Reset", strconv.Itoa(int(math.Ceil((float64(limits.Burst)-left)/limits.PerSecond))))
	if !ok {
		ctx.SetHeader("Retry-After", strconv.Itoa(max(1, int(math.Ceil((1-left)/limits.PerSecond)))))
		a.refuse(ctx, Refuse(http.StatusTooManyRequests, "too_many_requests", "You ask too often: wait as long as Retry-After says."))
		return
	}
	next(ctx)
}
