<<<<<<<< HEAD:admin/dist/assets/chunk-23LSU37F.js
import{e,k as s}from"./chunk-RLIUA4J6.js";var r=e(null);function p(){let o=s(r);if(!o)throw new Error("no dashboard above this component");return o}export{r as a,p as b};
========
import{e,k as s}from"./chunk-RBK2U5TQ.js";var r=e(null);function p(){let o=s(r);if(!o)throw new Error("no dashboard above this component");return o}export{r as a,p as b};
>>>>>>>> dd8e1dc (Bring words with the pages that say them, and what acts on an item when somebody is about to):admin/dist/assets/chunk-GMVGWWVW.js
