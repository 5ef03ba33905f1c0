{{- define "lighthouse.name" -}}
{{ .Release.Name }}-{{ .Chart.Name | trunc 10 | trimSuffix "-" }}
{{- end -}}
{{- define "lighthouse.labels" -}}
app: {{ include "lighthouse.name" . | quote }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}
