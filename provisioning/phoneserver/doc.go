// Package phoneserver gives phones their files over HTTP: GET /provision/SECRET/FILE, and nothing else.
//
// Guarantees:
//   - Whatever is wrong (path, secret, file, method, plain HTTP, a source that is locked out) gets one and the same 404. Only a
//     database that is away is told apart, by 503, so that a phone keeps what it has.
//   - A source address that has tried MaxGuesses different secrets in vain within GuessWindow is locked out for LockedFor, and the
//     database is not asked on its behalf. A phone whose secret was replaced and that goes on asking with the old one is one guess, however
//     often it asks: it does not lock out the office that it stands in.
//   - What is kept of sources is bounded by MaxSources, and by MaxGuesses each.
//   - Files are given over HTTPS, or to a proxy that is trusted and says that it was asked over HTTPS, unless plain HTTP is allowed.
//   - No answer is cached, and no secret stands in a log.
//
// It refuses to list anything, and to take anything: phones that send their logs or settings are not heard.
package phoneserver
