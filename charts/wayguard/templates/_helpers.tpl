{{/* The image of all Pods. */}}
{{- define "wayguard.image" -}}
{{- $repository := required "image.repository is missing: set it to where the image is, such as registry.example/wayguard" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* What Pods are selected by: `include "wayguard.selector" "serve"`. It never changes, or upgrades fail. */}}
{{- define "wayguard.selector" -}}
app.kubernetes.io/component: {{ . }}
app.kubernetes.io/name: wayguard
app.kubernetes.io/part-of: wayguard
{{- end }}

{{/* Which release an object is from. */}}
{{- define "wayguard.release" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* All labels of an object: `include "wayguard.labels" (dict "root" $ "component" "serve")`. */}}
{{- define "wayguard.labels" -}}
{{ include "wayguard.selector" .component }}
{{ include "wayguard.release" .root }}
{{- end }}

{{/* What is judged by, as JSON: the policies that are named, with the bundle of self-service if that runs. */}}
{{- define "wayguard.policies" -}}
{{- $names := .Values.policies -}}
{{- if .Values.provisioning.enabled -}}
{{- $names = $names | default (list "golden-path" "pod-security") -}}
{{- if not (has "self-service" $names) -}}{{- $names = append $names "self-service" -}}{{- end -}}
{{- end -}}
{{ toJson $names }}
{{- end }}

{{/* Arguments that server, control and audit must have alike, or they make different policy sets; as JSON. */}}
{{- define "wayguard.shared" -}}
{{- $arguments := list -}}
{{- if not .Values.enforce -}}{{- $arguments = append $arguments "--observe" -}}{{- end -}}
{{- if .Values.gatekeeper.enabled -}}{{- $arguments = append $arguments "--gatekeeper" -}}{{- end -}}
{{- range .Values.registrySecrets -}}{{- $arguments = append $arguments (printf "--registry-secret-name=%s" .) -}}{{- end -}}
{{- range include "wayguard.policies" . | fromJsonArray -}}{{- $arguments = append $arguments (printf "--policies=%s" .) -}}{{- end -}}
{{- $exempt := .Values.exemptNamespaces -}}
{{- if not (has .Release.Namespace $exempt) -}}{{- $exempt = append $exempt .Release.Namespace -}}{{- end -}}
{{ toJson (append $arguments (printf "--exempt-namespace=%s" (join "," $exempt))) }}
{{- end }}

{{/* Kinds that the policies look up (`inventory`) or judge (`judged`), with those that are named besides, as a sorted JSON
     list of GROUP/PLURAL: `include "wayguard.kinds" (dict "root" $ "of" "inventory" "more" list)`. */}}
{{- define "wayguard.kinds" -}}
{{- $library := .root.Files.Get "files/library.json" | fromJson -}}
{{- $kinds := .more -}}
{{- range include "wayguard.policies" .root | fromJsonArray | default (list "golden-path" "pod-security") -}}
{{- $known := get $library . | default dict -}}
{{- if not (hasKey $library .) -}}
{{- fail (printf "policies: `%s` is not built in; policies of your own are Policy objects: `kubectl apply` them" .) -}}
{{- end -}}
{{- $kinds = concat $kinds (get $known $.of) -}}
{{- end -}}
{{ $kinds | uniq | sortAlpha | toJson }}
{{- end }}

{{/* RBAC rules to read kinds: `include "wayguard.read" (dict "kinds" $list "verbs" (list "list"))`. */}}
{{- define "wayguard.read" -}}
{{- $verbs := .verbs -}}
{{- range .kinds }}
{{- $parts := splitn "/" 2 . }}
- apiGroups: [{{ $parts._0 | quote }}]
  resources: [{{ $parts._1 | quote }}]
  verbs: {{ toJson $verbs }}
{{- end }}
{{- end }}

{{/* Names of Secrets that the operator has given: keys and logins of registries, as JSON. */}}
{{- define "wayguard.secrets" -}}
{{- $names := .Values.secrets -}}
{{- range .Values.registrySecrets -}}{{- $names = append $names (splitn "=" 2 .)._0 -}}{{- end -}}
{{ toJson $names }}
{{- end }}

{{/* A ServiceAccount with its roles: `include "wayguard.account" (dict "root" $ "component" … "cluster" RULES "own" RULES)`. */}}
{{- define "wayguard.account" -}}
{{- $name := printf "wayguard-%s" .component -}}
{{- $labels := include "wayguard.labels" . -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- $labels | nindent 4 }}
automountServiceAccountToken: false
{{- if .cluster }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}
  labels: {{- $labels | nindent 4 }}
rules:
{{ .cluster | trim }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  labels: {{- $labels | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ $name }}}
subjects: [{kind: ServiceAccount, name: {{ $name }}, namespace: {{ .root.Release.Namespace }}}]
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- $labels | nindent 4 }}
rules:
{{ .own | trim }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- $labels | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $name }}}
subjects: [{kind: ServiceAccount, name: {{ $name }}, namespace: {{ .root.Release.Namespace }}}]
{{- end }}

{{/* The Secret of a certificate that somebody else makes; empty if there is none. */}}
{{- define "wayguard.certificate" -}}
{{- $name := .Values.certificate.secretName -}}
{{- if .Values.certificate.certManager.enabled -}}{{- $name = $name | default "wayguard-tls" -}}{{- end -}}
{{- if and $name .Values.history.enabled -}}
{{- fail "certificate: not together with history.enabled: the history is reached with certificates of the authority that `control` makes" -}}
{{- end -}}
{{ $name }}
{{- end }}
