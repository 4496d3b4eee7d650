// Work domains by category, maintained by hand: the name of a service, then its suffixes. A suffix covers itself and all names below it, by
// whole labels; the longest wins. {a,b} expands to several; an indented line continues the one above.

/** Rules as text; `../rules.ts` parses them. */
export const WORK_DOMAINS = `
[Development]
GitHub, GitLab, other forges: github.com githubusercontent.com githubassets.com github.io github.dev ghcr.io git.io gitlab.com
  gitlab.io gitlab-static.net bitbucket.org codeberg.org sr.ht gitea.com gitee.com sourceforge.net launchpad.net gitflic.ru
  gitverse.ru
JavaScript: npmjs.org npmjs.com yarnpkg.com nodejs.org deno.land deno.com jsr.io bun.sh unpkg.com jsdelivr.net esm.sh
  skypack.dev npmmirror.com typescriptlang.org vitejs.dev react.dev vuejs.org
Python: pypi.org pythonhosted.org python.org anaconda.com anaconda.org conda.io readthedocs.io readthedocs.org astral.sh
  jupyter.org
Rust, Go, Java, Ruby, PHP, others: crates.io docs.rs rust-lang.org golang.org go.dev maven.org maven.google.com gradle.org
  apache.org jitpack.io oracle.com rubygems.org ruby-lang.org packagist.org getcomposer.org php.net nuget.org dart.dev pub.dev
  flutter.dev cocoapods.org swift.org haskell.org hex.pm cpan.org metacpan.org r-project.org julialang.org ziglang.org
  kotlinlang.org
Containers: docker.com docker.io quay.io gcr.io pkg.dev mcr.microsoft.com k8s.io kubernetes.io azurecr.io cncf.io helm.sh
Editors and tools: jetbrains.com visualstudio.com vscode.dev vscode-cdn.net vsassets.io cursor.sh cursor.com zed.dev
  sublimetext.com postman.com getpostman.com figma.com framer.com replit.com codesandbox.io csb.app stackblitz.com codepen.io
  cdpn.io jsfiddle.net gitpod.io
Questions and documents: stackoverflow.com stackexchange.com sstatic.net serverfault.com superuser.com askubuntu.com
  developer.mozilla.org w3schools.com hackerrank.com leetcode.com leetcode.cn codeforces.com dev.to habr.com csdn.net csdnimg.cn
  cnblogs.com juejin.cn segmentfault.com qiita.com zenn.dev v2ex.com news.ycombinator.com lobste.rs geeksforgeeks.org kaggle.com
Build, test, deploy, plan, watch: circleci.com travis-ci.com appveyor.com sonarcloud.io snyk.io codecov.io vercel.com
  netlify.com heroku.com render.com railway.app fly.io atlassian.com atlassian.net atl-paas.net trello.com jira.com linear.app
  asana.com monday.com clickup.com notion.so notion.com notion-static.com hashicorp.com terraform.io launchdarkly.com
  datadoghq.com datadoghq.eu grafana.com grafana.net pagerduty.com ngrok.io ngrok.com ngrok-free.app pulumi.com supabase.co
  supabase.com mongodb.com mongodb.net elastic.co
Pages of vendors and projects: developer.apple.com developers.google.com developer.android.com googlesource.com
  learn.microsoft.com docs.microsoft.com dev.azure.com developer.nvidia.com kernel.org gnu.org sourceware.org llvm.org cmake.org

[Messaging]
WhatsApp: whatsapp.com whatsapp.net wa.me
Telegram: telegram.org t.me telegram.me tdesktop.com cdn-telegram.org telesco.pe
Signal: signal.org whispersystems.org signal.me signal.group
Messenger: messenger.com m.me edge-chat.facebook.com edge-mqtt.facebook.com mqtt-mini.facebook.com
iMessage: ess.apple.com identity.apple.com
Slack: slack.com slack-edge.com slack-msgs.com slack-files.com slack-imgs.com slackb.com
Discord: discord.com discord.gg discordapp.com discordapp.net discord.media discordcdn.com
Google Chat, Messages: chat.google.com messages.google.com instantmessaging-pa.googleapis.com jibecloud.net
Viber, LINE, Kakao: viber.com line.me line-scdn.net line-apps.com linecorp.com line.naver.jp kakao.com kakaocdn.net
WeChat, QQ, DingTalk, Feishu: weixin.qq.com wechat.com wx.qq.com weixinbridge.com qlogo.cn im.qq.com dingtalk.com
  dingtalkapps.com feishu.cn larksuite.com feishucdn.com
Others: zalo.me zaloapp.com zdn.vn imo.im threema.ch wire.com wickr.com element.io matrix.org vector.im mattermost.com
  rocket.chat zulip.com zulipchat.com getsession.org keybase.io groupme.com icq.com icq.net max.ru agent.mail.ru
With customers: twilio.com sendbird.com intercom.io intercom.com intercomcdn.com zendesk.com zdassets.com zopim.com
IRC: libera.chat oftc.net efnet.org quakenet.org rizon.net

[Mail]
Gmail: gmail.com mail.google.com googlemail.com inbox.google.com mail-attachment.googleusercontent.com
Outlook, Exchange: outlook.com outlook.live.com hotmail.com mail.live.com outlook.office.com outlook.office365.com
  attachments.office.net substrate.office.com smtp.office365.com
iCloud Mail: mail.icloud.com me.com mac.com
Proton, Fastmail, Tuta, others: proton.me protonmail.com protonmail.ch fastmail.com fastmail.fm messagingengine.com tutanota.com
  tuta.com tuta.io hey.com zoho.com zohocdn.com mailbox.org posteo.de migadu.com mailfence.com runbox.com startmail.com
  gandi.net mail.com disroot.org
Yahoo, AOL Mail: mail.yahoo.com mail.yahoo.net mail.yahoo.co.jp mail.aol.com
European mail: gmx.net gmx.de gmx.com web.de 1und1.de mail.de freenet.de t-online.de laposte.net orange.fr libero.it tiscali.it
  wp.pl onet.pl o2.pl interia.pl seznam.cz email.cz centrum.cz
Russian mail: mail.ru imgsmail.ru mail.yandex.ru mail.yandex.com imap.yandex.ru smtp.yandex.ru rambler.ru
Chinese mail: mail.qq.com exmail.qq.com mail.163.com mail.126.com mail.sina.com.cn mail.aliyun.com mxhichina.com
Indian, Brazilian, Korean mail: rediffmail.com rediff.com mail.uol.com.br mail.bol.com.br mail.naver.com mail.daum.net
Senders and lists: mailchimp.com list-manage.com sendgrid.com sendgrid.net mailgun.com mailgun.org mandrillapp.com
  postmarkapp.com sparkpostmail.com brevo.com sendinblue.com mailjet.com substack.com spamhaus.org groups.io

[Meetings]
Zoom: zoom.us zoom.com zoomgov.com zoom.com.cn zoomcdn.com
Teams, Skype: teams.microsoft.com teams.live.com teams.microsoft.us teams.cdn.live.net teams.office.com teams.cloud.microsoft
  statics.teams.cdn.office.net skype.com skypeassets.com lync.com sfbassets.com skypeforbusiness.com trouter.io
Google Meet: meet.google.com meetings.googleapis.com hangouts.google.com stun.l.google.com
  {stun1,stun2,stun3,stun4}.l.google.com duo.google.com meet.turns.goog
Webex: webex.com ciscospark.com wbx2.com webexcontent.com webexapis.com
FaceTime: facetime.apple.com
GoTo, RingCentral, Jitsi, others: goto.com gotomeeting.com gotowebinar.com logmein.com logmeininc.com bluejeans.com
  ringcentral.com ringcentral.biz whereby.com jitsi.net jitsi.org meet.jit.si 8x8.com 8x8.vc dialpad.com vonage.com
  livekit.cloud livekit.io agora.io agoraio.cn daily.co bigbluebutton.org gather.town around.co loom.com loomcdn.com
  calendly.com
Tencent Meeting, Telemost: meeting.tencent.com voovmeeting.com meeting.qq.com telemost.yandex.ru trueconf.com sferum.ru
Screens from afar: teamviewer.com anydesk.com anydesk.net rustdesk.com parsec.app splashtop.com

[Cloud and storage]
iCloud: icloud.com icloud-content.com icloud.com.cn icloud.apple.com apple-cloudkit.com apple-livephotoskit.com
Google Drive, Photos, Cloud: drive.google.com docs.google.com sheets.google.com slides.google.com photos.google.com
  drive.usercontent.google.com cloud.google.com storage.googleapis.com photoslibrary.googleapis.com photosdata-pa.googleapis.com
  drivefrontend-pa.googleapis.com keep.google.com one.google.com firebasestorage.googleapis.com
OneDrive, SharePoint, Office: onedrive.com onedrive.live.com 1drv.com 1drv.ms sharepoint.com sharepointonline.com sharepoint.cn
  storage.live.com livefilestore.com office.com office365.com office.net microsoft365.com cloud.microsoft svc.ms
Azure: azure.com azure.net {blob,file,queue,table,dfs}.core.windows.net azure-api.net database.windows.net azure.cn
  azure-devices.net servicebus.windows.net
Amazon Web Services: aws.amazon.com awsstatic.com signin.aws s3.amazonaws.com
  s3.{us-east-1,us-east-2,us-west-1,us-west-2,eu-west-1,eu-west-2,eu-west-3,eu-central-1,eu-north-1,eu-south-1,ap-south-1,ap-southeast-1,ap-southeast-2,ap-northeast-1,ap-northeast-2,ap-east-1,sa-east-1,ca-central-1,me-south-1,af-south-1}.amazonaws.com
  s3-{us-west-1,us-west-2,eu-west-1,eu-central-1,ap-southeast-1,ap-southeast-2,ap-northeast-1}.amazonaws.com
  s3-accelerate.amazonaws.com clouddrive.amazon.com photos.amazon.com
Dropbox, Box, others: dropbox.com dropboxapi.com dropboxusercontent.com dropboxstatic.com getdropbox.com db.tt box.com
  boxcdn.net boxcloud.com box.net mega.nz mega.io mega.co.nz pcloud.com sync.com tresorit.com koofr.net wetransfer.com we.tl
  mediafire.com filen.io internxt.com nextcloud.com owncloud.com strato.com jottacloud.com 4shared.com rapidgator.net
  terabox.com 1fichier.com gofile.io syncthing.net resilio.com
Backup: backblaze.com backblazeb2.com crashplan.com code42.com carbonite.com idrive.com acronis.com arqbackup.com wasabisys.com
  wasabi.com rsync.net borgbase.com veeam.com storj.io storjshare.io
Hosting: digitalocean.com digitaloceanspaces.com linode.com linodeobjects.com vultr.com vultrobjects.com hetzner.com hetzner.de
  hetzner.cloud your-objectstorage.com ovh.com ovh.net ovhcloud.com scaleway.com scw.cloud ionos.com godaddy.com namecheap.com
  hostinger.com rackspace.com cloudflarestorage.com oraclecloud.com cloud.ibm.com r2.dev dash.cloudflare.com contabo.com
  leaseweb.com netcup.de
Chinese clouds: aliyun.com aliyuncs.com aliyunpds.com alibabacloud.com pan.baidu.com baidupcs.com pcs.baidu.com bcebos.com
  myqcloud.com qcloud.com weiyun.com tencentcloud.com huaweicloud.com myhuaweicloud.com 115.com 123pan.com lanzou.com quark.cn
  alipan.com volces.com volcengine.com ksyun.com qiniu.com upyun.com
Russian clouds: disk.yandex.ru disk.yandex.net cloud.mail.ru yandexcloud.net selcdn.ru selectel.ru cloud.ru timeweb.ru
Notes, passwords, documents: evernote.com bitwarden.com bitwarden.eu 1password.com 1password.eu 1passwordservices.com
  lastpass.com dashlane.com keepersecurity.com standardnotes.com obsidian.md airtable.com coda.io miro.com smartsheet.com
  docusign.com docusign.net salesforce.com force.com servicenow.com service-now.com workday.com myworkday.com sap.com adobe.com
  adobe.io adobecc.com acrobat.com creativecloud.com canva.com

[AI]
OpenAI: openai.com chatgpt.com oaiusercontent.com oaistatic.com sora.com openai.azure.com
Anthropic: anthropic.com claude.ai claude.com claudeusercontent.com
Google: gemini.google.com bard.google.com aistudio.google.com generativelanguage.googleapis.com aiplatform.googleapis.com
  notebooklm.google.com labs.google cloudaicompanion.googleapis.com cloudcode-pa.googleapis.com
  alkalimakersuite-pa.clients6.google.com deepmind.com deepmind.google
Microsoft, GitHub: copilot.microsoft.com copilot.cloud.microsoft sydney.bing.com designer.microsoft.com githubcopilot.com
  copilot-proxy.githubusercontent.com copilot-telemetry.githubusercontent.com cognitiveservices.azure.com
  cognitive.microsoft.com
Apple, Amazon: siri.apple.com guzzoni.apple.com smoot.apple.com apple-relay.apple.com apple-relay.cloudflare.com
  apple-relay.fastly-edge.com bedrock-runtime.{us-east-1,us-west-2,eu-central-1,eu-west-1,ap-northeast-1}.amazonaws.com
  alexa.amazon.com avs-alexa-na.amazon.com avs-alexa-eu.amazon.com
Models and their hosts: huggingface.co hf.co hf.space ollama.com ollama.ai lmstudio.ai replicate.com replicate.delivery
  together.ai together.xyz groq.com fireworks.ai runpod.io vast.ai lambdalabs.com modal.com cerebras.ai openrouter.ai mistral.ai
  cohere.com cohere.ai x.ai grok.com meta.ai llama.com stability.ai civitai.com jina.ai voyageai.com pinecone.io wandb.ai
Programs: perplexity.ai pplx.ai you.com phind.com poe.com character.ai midjourney.com runwayml.com elevenlabs.io suno.com
  suno.ai udio.com leonardo.ai ideogram.ai deepl.com grammarly.com grammarly.io quillbot.com jasper.ai otter.ai fireflies.ai
  {api2,api3,api4}.cursor.sh codeium.com windsurf.com tabnine.com sourcegraph.com augmentcode.com lovable.dev bolt.new v0.dev
Chinese: deepseek.com moonshot.cn kimi.com doubao.com yiyan.baidu.com ernie.baidu.com aip.baidubce.com tongyi.com qwen.ai
  dashscope.aliyuncs.com chatglm.cn bigmodel.cn z.ai zhipuai.cn minimax.io minimaxi.com hailuoai.com hunyuan.tencent.com
  yuanbao.tencent.com xinghuo.xfyun.cn siliconflow.cn klingai.com manus.im
Russian: giga.chat gigachat.devices.sberbank.ru alice.yandex.ru uniproxy.alice.yandex.net
`;
