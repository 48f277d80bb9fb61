/** A small guide and site against one HTTP server on loopback, for tests of the session itself. */
export function miniGuide(): string {
  return `guide: mini
version: 1.0.0
title: A small guide
publisher: { name: Test, contact: test@example.org }
product:
  vendor: Test
  name: Thing
  versions: ">=1.0.0 <2.0.0"
  observe: { probe: http.request, with: { url: '$device.adminUrl + "/version"' }, version: facts.json.version }
inputs:
  device: { type: device, title: The device }
controls:
  - id: web.answers
    revision: 1
    title: The device says that it is secure
    owner: hospital
    why: An insecure device is not secure.
    checks:
      - probe: http.request
        with: { url: '$device.adminUrl + "/state"' }
        expect:
          - that: facts.status == 200 && facts.json.secure == true
            else: "The device says secure = {{ facts.json.secure }}."
    validFor: P30D
  - id: web.never
    revision: 1
    title: A step whose probe cannot look
    owner: manufacturer
    why: What cannot be seen is no pass.
    checks:
      - probe: http.request
        with: { url: 'http://127.0.0.1:1/none' }
        expect: [{ that: facts.status == 200, else: "It answers {{ facts.status }}." }]
  - id: people.trained
    revision: 1
    title: People are trained
    owner: hospital
    why: People make mistakes.
    manual:
      question: Are they trained?
      evidence: [file]
      required: true
      answers: { "yes": pass, "no": fail }
`;
}

export function miniSite(port: number): string {
  return `site: mini-site
name: Mini site
devices:
  - { id: thing, name: Thing, host: 127.0.0.1, adminUrl: "http://127.0.0.1:${port}" }
`;
}
