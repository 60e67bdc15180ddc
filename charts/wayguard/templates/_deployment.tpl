{{/*
A Deployment, all of them alike but for what runs in it.

  root       the root context
  component  serve, control, audit, history or provisioning
  replicas   how many
  args       a list
  https      whether it listens with TLS too
  values     the component's values: resources, extraArgs
  env        further variables, a list
  volume     a claim to mount at /var/lib/wayguard; a file has one owner, so the old Pod ends before the new one begins
  certificate, keys  a Secret to mount at /etc/wayguard/tls, and what of it
*/}}
{{- define "wayguard.deployment" -}}
{{- $name := printf "wayguard-%s" .component -}}
{{- $values := .root.Values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "wayguard.labels" . | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  selector:
    matchLabels: {{- include "wayguard.selector" .component | nindent 6 }}
  strategy:
    {{- if .volume }}
    type: Recreate
    {{- else }}
    # Never fewer than there should be: each one that is missing is a share of requests that wait.
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
    {{- end }}
  template:
    metadata:
      labels:
        {{- with $values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
        {{- include "wayguard.selector" .component | nindent 8 }}
      {{- with $values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: true
      # Draining, then requests that have begun, then some.
      terminationGracePeriodSeconds: 45
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        {{- if .volume }}
        fsGroup: 65532
        {{- end }}
        seccompProfile: {type: RuntimeDefault}
      # A cluster of one node must be able to run all of them.
      topologySpreadConstraints:
      {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
      - maxSkew: 1
        topologyKey: {{ . }}
        whenUnsatisfiable: ScheduleAnyway
        labelSelector:
          matchLabels: {{- include "wayguard.selector" $.component | nindent 12 }}
      {{- end }}
      containers:
      - name: {{ .component }}
        image: {{ include "wayguard.image" .root | quote }}
        {{- with $values.image.pullPolicy }}
        imagePullPolicy: {{ . }}
        {{- end }}
        args:
        {{- range concat .args .values.extraArgs }}
        - {{ quote . }}
        {{- end }}
        env:
        - name: POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        - name: POD_UID
          valueFrom: {fieldRef: {fieldPath: metadata.uid}}
        {{- with .env }}{{ toYaml . | nindent 8 }}{{ end }}
        ports:
        {{- if .https }}
        - {name: https, containerPort: 8443, protocol: TCP}
        {{- end }}
        - {name: health, containerPort: 8080, protocol: TCP}
        resources: {{- toYaml .values.resources | nindent 10 }}
        livenessProbe:
          httpGet: {path: /livez, port: health}
          periodSeconds: 5
          timeoutSeconds: 2
          failureThreshold: 6
        readinessProbe:
          httpGet: {path: /readyz, port: health}
          periodSeconds: 5
          timeoutSeconds: 2
          failureThreshold: 1
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {drop: [ALL]}
        {{- if .volume }}
        volumeMounts: [{name: data, mountPath: /var/lib/wayguard}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: {{ .volume }}}}]
        {{- else if .certificate }}
        volumeMounts: [{name: tls, mountPath: /etc/wayguard/tls, readOnly: true}]
      volumes:
      - name: tls
        secret:
          secretName: {{ .certificate }}
          items:
          {{- range .keys }}
          - {key: {{ . }}, path: {{ . }}}
          {{- end }}
        {{- end }}
{{- end }}
